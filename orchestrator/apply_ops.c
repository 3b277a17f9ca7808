/* SPDX-License-Identifier: Apache-2.0 */
/* apply_ops.c - the table of operations, and those on images, networks and volumes. */
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/apply.h"

/* ---- images ---- */
static void image_line(const struct jv *line, void *arg)
{
    struct apply_op *op = arg;
    struct jv *event = jv_object();
    jv_set_str(event, "type", "progress");
    jv_set_str(event, "resource", jv_get_str(line, "parent", NULL) ? "" : "Image");
    const char *parent = jv_get_str(line, "parent", NULL);
    /* the plan's name, as the user wrote it, keeps one line for one image */
    jv_set_str(event, "name", parent ? jv_get_str(line, "id", "") : op->op->target);
    jv_set_str(event, "parent", parent ? op->op->target : NULL);
    jv_set_str(event, "word", jv_get_str(line, "status", ""));
    jv_set_bool(event, "done", false);
    if (jv_find(line, "current"))
        jv_set_int(event, "current", jv_get_int(line, "current", 0));
    if (jv_find(line, "total"))
        jv_set_int(event, "total", jv_get_int(line, "total", 0));
    if (parent) /* the image's own first and last lines are the operation's */
        op->apply->event(event, op->apply->arg);
    else
        jv_free(event);
}

static void image_done_pull(const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    op->child = NULL;
    struct err err = { 0 };
    if (error) {
        (void)err_copy(&err, error);
        (void)err_wrap(&err, "image %s", op->op->target);
    } else {
        struct jv *attributes = jv_object();
        jv_set_str(attributes, "image", op->op->target);
        supervisor_event(op->apply->sv, "pull", NULL, attributes);
    }
    op_finish(op, NULL, error ? &err : NULL);
}

static void op_pull(struct apply_op *op)
{
    const struct service *service = op->apply->model && op->op->service ? project_service(op->apply->model, op->op->service) : NULL;
    char *words[6] = { "pull", (char *)op->op->target };
    struct err err = { 0 };
    if (service && service->platform) {
        words[2] = "--platform";
        words[3] = (char *)service->platform;
    }
    if (child_image_worker(op->apply->sv, words, image_line, image_done_pull, op, &op->child, &err) < 0)
        op_finish(op, NULL, &err);
}

/* ---- networks ---- */
static void network_event(struct apply_op *op, const char *action)
{
    struct jv *attributes = jv_object();
    jv_set_str(attributes, "network", op->op->target);
    supervisor_event(op->apply->sv, action, NULL, attributes);
}

static void network_made(const struct jv *ok, const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    struct err err = { 0 };
    if (ok) {
        network_event(op, "network_create");
    } else {
        (void)err_copy(&err, error);
        (void)err_wrap(&err, "network %s", op->op->target);
    }
    op_finish(op, NULL, ok ? NULL : &err);
}

static void op_network_create(struct apply_op *op)
{
    struct apply *apply = op->apply;
    const struct network *network = apply->model ? project_network(apply->model, op->op->key) : NULL;
    struct err err = { 0 };
    if (!network) {
        (void)err_set(&err, ERR_INTERNAL, "network '%s' is not in the model", op->op->key);
        op_finish(op, NULL, &err);
        return;
    }
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct network_request request;
    translate_network(arena, apply->model, network, &request);
    netd_link_call(apply->sv->netd, "network_ensure", network_request_to_json(&request), network_made, op);
}

static void network_removed(const struct jv *ok, const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    if (ok || error->code == ERR_NOT_FOUND) {
        network_event(op, "network_destroy");
        op_finish(op, NULL, NULL);
    } else if (error->code == ERR_BUSY) {
        apply_warn(op->apply, "network %s: Resource is still in use", op->op->target);
        op_finish(op, "Resource is still in use", NULL);
    } else {
        struct err err = *error;
        (void)err_wrap(&err, "network %s", op->op->target);
        op_finish(op, NULL, &err);
    }
}

static void op_network_remove(struct apply_op *op)
{
    struct jv *args = jv_object();
    jv_set_str(args, "name", op->op->target);
    netd_link_call(op->apply->sv->netd, "network_remove", args, network_removed, op);
}

/* ---- volumes ---- */
static void volume_event(struct apply_op *op, const char *action)
{
    struct jv *attributes = jv_object();
    jv_set_str(attributes, "volume", op->op->target);
    supervisor_event(op->apply->sv, action, NULL, attributes);
}

static void op_volume_create(struct apply_op *op)
{
    struct apply *apply = op->apply;
    const struct volume *volume = apply->model ? project_volume(apply->model, op->op->key) : NULL;
    struct err err = { 0 };
    if (!volume) {
        (void)err_set(&err, ERR_INTERNAL, "volume '%s' is not in the model", op->op->key);
        op_finish(op, NULL, &err);
        return;
    }
    struct volume_request request;
    struct volume_info info;
    _cleanup_jv_ struct jv *options = NULL, *labels = NULL;
    translate_volume(apply->model, volume, &request, &options, &labels);
    if (volume_ensure(apply->sv->layout, &request, &info, &err) < 0) {
        (void)err_wrap(&err, "volume %s", op->op->target);
        op_finish(op, NULL, &err);
        return;
    }
    volume_info_done(&info);
    volume_event(op, "volume_create");
    op_finish(op, NULL, NULL);
}

static void op_volume_remove(struct apply_op *op)
{
    struct err err = { 0 };
    if (volume_remove(op->apply->sv->layout, op->op->target, &err) < 0 && err.code != ERR_NOT_FOUND) {
        if (err.code == ERR_BUSY) {
            apply_warn(op->apply, "volume %s: Resource is still in use", op->op->target);
            op_finish(op, "Resource is still in use", NULL);
            return;
        }
        (void)err_wrap(&err, "volume %s", op->op->target);
        op_finish(op, NULL, &err);
        return;
    }
    volume_event(op, "volume_destroy");
    op_finish(op, NULL, NULL);
}

static void op_keep(struct apply_op *op)
{
    const struct unit *unit = op_unit(op);
    op_finish(op, unit && unit_is_at_rest(unit) ? "Exited" : NULL, NULL); /* a job that has done its work is kept, too */
}

/* ---- all ---- */
typedef void op_fn(struct apply_op *op);
static op_fn *const begin[] = {
    [OP_IMAGE_PULL] = op_pull,
    [OP_NETWORK_CREATE] = op_network_create,
    [OP_NETWORK_REMOVE] = op_network_remove,
    [OP_VOLUME_CREATE] = op_volume_create,
    [OP_VOLUME_REMOVE] = op_volume_remove,
    [OP_CONTAINER_KEEP] = op_keep,
    [OP_CONTAINER_CREATE] = op_create,
    [OP_CONTAINER_RECREATE] = op_recreate,
    [OP_CONTAINER_START] = op_start,
    [OP_CONTAINER_WAIT] = op_wait,
    [OP_CONTAINER_STOP] = op_stop,
    [OP_CONTAINER_KILL] = op_kill,
    [OP_CONTAINER_PAUSE] = op_freeze,
    [OP_CONTAINER_UNPAUSE] = op_freeze,
    [OP_CONTAINER_RESTART] = op_restart,
    [OP_CONTAINER_REMOVE] = op_remove,
    [OP_CONTAINER_HOOK] = op_hook,
};
_Static_assert(ARRAY_LEN(begin) == OP_KIND_COUNT_, "every operation has a function");

void op_begin(struct apply_op *op)
{
    begin[op->op->kind](op);
}

void op_cancel(struct apply_op *op)
{
    struct err err = { 0 };
    if (op->child) {
        child_cancel(op->child);
    } else if (op->op->kind == OP_CONTAINER_WAIT) {
        (void)err_set(&err, ERR_CANCELLED, "cancelled while waiting for %s", op->op->target);
        op_finish(op, NULL, &err);
    }
}
