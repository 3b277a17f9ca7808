# SPDX-License-Identifier: Apache-2.0
"""Keeps documents: POST /documents stores one (needs the token), GET /documents counts them."""
import json
import os

import bottle
import pymongo

application = bottle.Bottle()
client = pymongo.MongoClient(os.environ["MONGO_URL"], serverSelectionTimeoutMS=3000, socketTimeoutMS=5000)
documents = client.demo.documents
with open(os.environ["TOKEN_FILE"], encoding="ascii") as f:
    TOKEN = f.read().strip()


@application.get("/healthz")
def health():
    client.admin.command("ping")
    return "ok\n"


@application.get("/documents")
def count():
    return {"count": documents.count_documents({})}


@application.get("/documents/<name>")
def fetch(name):
    found = documents.find_one({"name": name}, {"_id": 0})
    if not found:
        raise bottle.HTTPError(404, "no such document\n")
    return found


@application.post("/documents")
def store():
    if bottle.request.get_header("X-Token") != TOKEN:
        raise bottle.HTTPError(403, "wrong token\n")
    document = json.load(bottle.request.body)
    try:
        documents.insert_one(document)
    except pymongo.errors.DuplicateKeyError:
        raise bottle.HTTPError(409, "there is a document of that name\n") from None
    bottle.response.status = 201
    print("stored", document.get("name"), flush=True)
    return {"name": document.get("name"), "count": documents.count_documents({})}
