# SPDX-License-Identifier: Apache-2.0
"""The job before the application: names of documents are unique."""
import os

import pymongo

client = pymongo.MongoClient(os.environ["MONGO_URL"], serverSelectionTimeoutMS=5000)
client.demo.documents.create_index("name", unique=True)
print("index ready:", sorted(client.demo.documents.index_information()), flush=True)
