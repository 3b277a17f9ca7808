/* SPDX-License-Identifier: Apache-2.0 */
/* apply_create.c - making a container: image → volumes (filled once, in a child process) → record → directories. Everything that
 * can fail for reasons of the user is done before the record is saved, and, when a container is replaced, before the old one is
 * touched. */
#include <fcntl.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "orchestrator/apply.h"

#define PROFILE_BYTES_MAX (1024 * 1024)

struct create_work {
    char id[ID_SIZE];
    struct arena *arena;
    struct image image;
    struct container_record *previous; /* borrowed from the unit that is replaced */
    struct translate_input input;
    struct mount_needs needs;
    size_t next_need;
    const char *filling; /* name of the volume being filled by this operation */
    const char *waiting_for; /* name of the volume another one fills */
    struct container_record *record;
};

void create_work_free(struct create_work *work)
{
    if (!work)
        return;
    image_done(&work->image);
    container_record_free(work->record);
    arena_free(work->arena);
    free(work);
}

static void fill_next(struct apply_op *op);
static void make_record(struct apply_op *op);

static void fail(struct apply_op *op, struct err *err)
{
    create_work_free(take_ptr(&op->work));
    op_finish(op, NULL, err);
}

/* ---- volumes ---- */
static bool is_populating(const struct supervisor *sv, const char *name)
{
    for (size_t i = 0; i < sv->populating.count; i++)
        if (strcmp(sv->populating.items[i], name) == 0)
            return true;
    return false;
}

static void populating_end(struct apply *apply, const char *name)
{
    struct supervisor *sv = apply->sv;
    for (size_t i = 0; i < sv->populating.count; i++)
        if (strcmp(sv->populating.items[i], name) == 0) {
            free(sv->populating.items[i]);
            sv->populating.items[i] = sv->populating.items[--sv->populating.count];
            break;
        }
    for (size_t i = 0; i < apply->plan->count; i++)
        if (apply->states[i] == OP_STATE_RUNNING && apply->ops[i].work)
            op_create_again(&apply->ops[i]);
}

static void fill_done(const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    struct create_work *work = op->work;
    struct err err = { 0 };
    const char *name = work->filling;
    work->filling = NULL;
    if (error) {
        (void)err_copy(&err, error);
        (void)err_wrap(&err, "fill volume %s from the image", name);
    } else if (volume_populate_commit(op->apply->sv->layout, name, &err) == 0) {
        work->next_need++;
    }
    _cleanup_free_ char *kept = xstrdup(name); /* it lives in the work's arena */
    if (err.code != ERR_NONE)
        fail(op, &err);
    else
        fill_next(op);
    populating_end(op->apply, kept);
}

/* 1: begun, go on later; 0: nothing to do; -1. */
static int fill_begin(struct apply_op *op, const struct mount_need *need, struct err *err)
{
    struct supervisor *sv = op->apply->sv;
    struct create_work *work = op->work;
    int dirfd = -1;
    if (need->nocopy || need->carried)
        return 0;
    if (is_populating(sv, need->name)) {
        work->waiting_for = need->name;
        return 1;
    }
    if (volume_populate_begin(sv->layout, need->name, &dirfd, err) < 0)
        return -1;
    if (dirfd < 0)
        return 0;
    if (child_copy_dir(sv, work->image.layers, need->target, dirfd, fill_done, op, err) < 0)
        return -1;
    work->filling = need->name;
    VEC_ADD(&sv->populating, xstrdup(need->name));
    return 1;
}

/* The volume exists afterwards; need->path says where. */
static int ensure_need(struct apply_op *op, struct mount_need *need, struct err *err)
{
    struct create_work *work = op->work;
    const struct layout *layout = op->apply->sv->layout;
    struct volume_info info;
    if (need->anonymous && !need->carried) {
        struct volume_request request;
        _cleanup_jv_ struct jv *labels = NULL;
        translate_anonymous_volume(&work->input, need, &request, &labels);
        if (volume_ensure(layout, &request, &info, err) < 0)
            return err_wrap(err, "anonymous volume for %s", need->target);
    } else if (volume_find(layout, need->name, &info, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            (void)err_set(err, ERR_NOT_FOUND, "volume '%s' does not exist", need->name);
        return -1;
    }
    need->path = arena_strdup(work->arena, info.path);
    volume_info_done(&info);
    return 0;
}

static void fill_next(struct apply_op *op)
{
    struct create_work *work = op->work;
    struct err err = { 0 };
    for (; work->next_need < work->needs.count; work->next_need++) {
        struct mount_need *need = &work->needs.items[work->next_need];
        int begun = ensure_need(op, need, &err) < 0 ? -1 : fill_begin(op, need, &err);
        if (begun < 0) {
            (void)err_wrap(&err, "service '%s'", op->op->service);
            fail(op, &err);
            return;
        }
        if (begun > 0)
            return;
    }
    make_record(op);
}

void op_create_again(struct apply_op *op)
{
    struct create_work *work = op->work;
    if (work && work->waiting_for && !is_populating(op->apply->sv, work->waiting_for)) {
        work->waiting_for = NULL;
        fill_next(op);
    }
}

/* ---- the record ---- */
static int prepare_seccomp(struct apply_op *op, struct container_record *record, struct err *err)
{
    const struct service *service = op->work->input.service;
    struct container_spec *spec = &record->spec;
    bool unconfined = false;
    const char *profile_path = NULL;
    _cleanup_free_ char *profile = NULL;
    translate_seccomp(service, &unconfined, &profile_path);
    if (unconfined || spec->privileged)
        return 0;
    if (profile_path && fs_read(AT_FDCWD, profile_path, PROFILE_BYTES_MAX, &profile, NULL, err) < 0)
        return err_wrap(err, "security_opt: seccomp profile");
    return seccomp_prepare(op->apply->sv->layout, record->arena, spec->process.capabilities, profile, &spec->seccomp_filter,
                           &spec->seccomp_sha256, err);
}

/* Saved while the image cannot go: somebody may have removed it since it was looked up. */
static int save_record(struct supervisor *sv, struct container_record *record, struct err *err)
{
    _cleanup_close_ int lock = -1;
    if (image_hold(sv->layout, record->image_id, &lock, err) < 0)
        return err_wrap(err, "container %s", record->name);
    return container_record_save(sv->layout, record, err);
}

/* The last steps; nothing of the user's can fail here any more. */
static void store_record(struct apply_op *op)
{
    struct supervisor *sv = op->apply->sv;
    struct container_record *record = take_ptr(&op->work->record);
    struct err err = { 0 };
    if (save_record(sv, record, &err) < 0 || container_prepare(sv->layout, &record->spec, &err) < 0) {
        struct err ignored = { 0 };
        (void)container_delete(sv->layout, record->id, &ignored); /* half made; the first error is told */
        sv->deleted = true;
        container_record_free(record);
        fail(op, &err);
        return;
    }
    struct unit *unit = unit_new(sv, record, &err);
    if (!unit) {
        fail(op, &err);
        return;
    }
    supervisor_add(sv, unit);
    if (op->op->oneoff && op->apply->oneoff->direct) {
        unit->has_direct = true;
        for (size_t i = 0; i < ARRAY_LEN(unit->direct); i++)
            unit->direct[i] = take_fd(&op->apply->oneoff->direct[i]);
    }
    memcpy(op->unit_id, unit->record->id, ID_SIZE);
    supervisor_event(sv, "create", unit, NULL);
    create_work_free(take_ptr(&op->work));
    op_finish(op, NULL, NULL);
}

static void make_record(struct apply_op *op)
{
    struct create_work *work = op->work;
    struct err err = { 0 };
    if (translate_record(&work->input, &work->needs, &work->record, &err) < 0 || prepare_seccomp(op, work->record, &err) < 0) {
        fail(op, &err);
        return;
    }
    if (!work->previous) {
        store_record(op);
        return;
    }
    struct unit *old = supervisor_unit(op->apply->sv, op->op->container);
    work->previous = NULL; /* it goes with the old unit */
    work->input.previous = NULL;
    if (old)
        op_remove_unit(op, old, store_record);
    else
        store_record(op);
}

/* container_name is host-wide; generated names carry the project's. */
static int name_is_free(const struct apply_op *op, const struct service *service, struct err *err)
{
    const struct supervisor *sv = op->apply->sv;
    struct container_record **records = NULL;
    size_t count = 0;
    int rc = 0;
    const char *name = op->op->oneoff ? op->op->target : service->container_name;
    if (!name)
        return 0;
    if (op->op->oneoff && supervisor_unit_named(sv, name))
        return err_set(err, ERR_EXISTS, "container name \"%s\" is already in use", name);
    if (container_record_list(sv->layout, NULL, &records, &count, NULL, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count && rc == 0; i++)
        if (str_eq(records[i]->name, name) && !str_eq(records[i]->project, sv->name))
            rc = err_set(err, ERR_EXISTS, "container name \"%s\" is already in use by project %s", name,
                         records[i]->project);
    container_record_list_free(records, count);
    return rc;
}

static int begin(struct apply_op *op, struct err *err)
{
    struct apply *apply = op->apply;
    struct supervisor *sv = apply->sv;
    const struct service *service = apply->model ? project_service(apply->model, op->op->service) : NULL;
    if (!service)
        return err_set(err, ERR_INTERNAL, "service '%s' is not in the model", op->op->service);
    struct create_work *work = op->work = xcalloc(1, sizeof(*work));
    work->arena = arena_new();
    id_random(work->id);
    if (name_is_free(op, service, err) < 0 || supervisor_userns(sv, err) < 0 || image_find(sv->layout, service->image, &work->image, err) < 0)
        return -1;
    struct unit *old = op->op->container ? supervisor_unit(sv, op->op->container) : NULL;
    if (op->op->container && !old) /* one beside it would write to the same volumes */
        return err_set(err, ERR_CORRUPT, "%s/containers/%s/container.json is not understood: the container cannot be replaced",
                       sv->layout->lib, op->op->container);
    work->previous = old ? old->record : NULL;
    work->input = (struct translate_input){
        .layout = sv->layout,
        .project = apply->model,
        .service = service,
        .number = op->op->number,
        .id = work->id,
        .image = &work->image,
        .id_base = sv->userns && !translate_wants_host_userns(service) ? sv->intent.id_base : -1,
        .created_ns = clock_wall_ns(),
        .previous = work->previous,
        .renew_anon_volumes = apply->renew_anon_volumes,
        .strict = apply->strict,
        .oneoff = op->op->oneoff ? apply->oneoff : NULL,
    };
    return translate_mount_needs(&work->input, work->arena, &work->needs, err);
}

void op_create(struct apply_op *op)
{
    struct err err = { 0 };
    if (begin(op, &err) < 0) {
        (void)err_wrap(&err, "service '%s'", op->op->service);
        fail(op, &err);
        return;
    }
    fill_next(op);
}

void op_recreate(struct apply_op *op)
{
    op_create(op); /* op->op->container says what it replaces */
}
