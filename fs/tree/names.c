#include "tree/names.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tree/open_disk.h"

/* How long a refused unlink is held against its process, in seconds. */
#define REFUSED_UNLINK_SECONDS 5

/* A text that an entry has had: somebody may still be reading it. */
struct former {
    struct former *next;
    char text[];
};

/* A slot: an entry of the table. But for the constants, the names' lock guards all of it. */
struct slot {
    struct fs_name name; /* first, so that the two convert */
    const char *text;    /* atomic: read without the lock */
    struct former *formers;
    bool is_current;  /* the text leads here; else it is retired or replaced */
    bool is_replaced; /* by another image of the same name */

    /* what keeps it */
    unsigned refs;
    uint64_t lookups;

    bool is_claimed;
    struct vhd_task *task;
    TAILQ_ENTRY(slot) record_link; /* with a task */

    unsigned open_requests;
    struct fs_disk *disk; /* NULL until it is asked for */
};

/* A process that was refused an unlink inside a disk. */
struct refused {
    uint32_t serial;
    pid_t pid;
    time_t at; /* seconds of the monotonic clock */
};

/* So many are remembered; there are not many who clear away disks at once. */
enum { REFUSED_KEPT = 64 };

TAILQ_HEAD(record_list, slot);

struct fs_names {
    pthread_mutex_t lock;
    void *by_text;   /* trees of <search.h>; the current entries only */
    void *by_serial; /* all */
    uint32_t last_serial;
    struct record_list records; /* the oldest first */
    unsigned record_count;
    unsigned history;                     /* constant */
    struct refused refused[REFUSED_KEPT]; /* a ring */
    unsigned next_refused;
};

static struct slot *slot_of(struct fs_name *name)
{
    return (struct slot *)name;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(((const struct slot *)a)->text, ((const struct slot *)b)->text);
}

static int compare_serial(const void *a, const void *b)
{
    uint32_t first = ((const struct slot *)a)->name.serial;
    uint32_t second = ((const struct slot *)b)->name.serial;
    return (first > second) - (first < second);
}

/* What a search tree gives: a pointer to where it keeps the slot. */
static struct slot *found(void *node)
{
    return node ? *(struct slot **)node : NULL;
}

static struct slot *find_text(struct fs_names *names, const char *text)
{
    const struct slot key = {.text = text};
    return found(tfind(&key, &names->by_text, compare_text));
}

static struct slot *find_serial(struct fs_names *names, uint32_t serial)
{
    const struct slot key = {.name.serial = serial};
    return found(tfind(&key, &names->by_serial, compare_serial));
}

struct fs_names *fs_names_new(unsigned history)
{
    struct fs_names *names = calloc(1, sizeof *names);
    if (!names)
        return NULL;
    pthread_mutex_init(&names->lock, NULL);
    TAILQ_INIT(&names->records);
    names->history = history;
    return names;
}

static void slot_free(void *arg)
{
    struct slot *slot = arg;
    for (struct former *former = slot->formers, *next; former; former = next) {
        next = former->next;
        free(former);
    }
    vhd_task_unref(slot->task);
    fs_disk_free(slot->disk);
    free(slot);
}

void fs_names_free(struct fs_names *names)
{
    if (!names)
        return;
    while (names->by_text)
        tdelete(*(struct slot **)names->by_text, &names->by_text, compare_text);
    tdestroy(names->by_serial, slot_free);
    pthread_mutex_destroy(&names->lock);
    free(names);
}

const char *fs_name_text(const struct fs_name *name)
{
    return __atomic_load_n(&((const struct slot *)name)->text, __ATOMIC_ACQUIRE);
}

/* Give a slot a text, and keep those that it had. */
static bool set_text(struct slot *slot, const char *text)
{
    size_t size = strlen(text) + 1;
    struct former *former = malloc(sizeof *former + size);
    if (!former)
        return false;
    memcpy(former->text, text, size);
    former->next = slot->formers;
    slot->formers = former;
    __atomic_store_n(&slot->text, former->text, __ATOMIC_RELEASE);
    return true;
}

/* Make the current slot of a text; there must be none. */
static struct slot *slot_new(struct fs_names *names, const char *text)
{
    struct slot *slot = calloc(1, sizeof *slot);
    if (!slot || !set_text(slot, text)) {
        free(slot);
        return NULL;
    }
    do
        slot->name.serial = ++names->last_serial;
    while (slot->name.serial == 0 || find_serial(names, slot->name.serial));
    slot->is_current = true;
    if (!tsearch(slot, &names->by_serial, compare_serial)) {
        slot_free(slot);
        return NULL;
    }
    if (!tsearch(slot, &names->by_text, compare_text)) {
        tdelete(slot, &names->by_serial, compare_serial);
        slot_free(slot);
        return NULL;
    }
    return slot;
}

/* Let a slot go that nothing keeps. */
static void slot_settle(struct fs_names *names, struct slot *slot)
{
    if (slot->refs > 0 || slot->lookups > 0 || slot->task || slot->is_claimed)
        return;
    if (slot->is_current)
        tdelete(slot, &names->by_text, compare_text);
    tdelete(slot, &names->by_serial, compare_serial);
    slot_free(slot);
}

static struct fs_name *slot_ref(struct slot *slot)
{
    if (!slot)
        return NULL;
    slot->refs++;
    return &slot->name;
}

struct fs_name *fs_names_get(struct fs_names *names, const char *text)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = find_text(names, text);
    return slot_ref(slot ? slot : slot_new(names, text));
}

struct fs_name *fs_names_find(struct fs_names *names, const char *text)
{
    HOLD_LOCK(&names->lock);
    return slot_ref(find_text(names, text));
}

struct fs_name *fs_names_by_serial(struct fs_names *names, uint32_t serial)
{
    HOLD_LOCK(&names->lock);
    return slot_ref(find_serial(names, serial));
}

struct fs_name *fs_name_ref(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return slot_ref(slot_of(name));
}

void fs_name_put(struct fs_names *names, struct fs_name *name)
{
    if (!name)
        return;
    HOLD_LOCK(&names->lock);
    slot_of(name)->refs--;
    slot_settle(names, slot_of(name));
}

void fs_name_looked_up(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    slot_of(name)->lookups++;
}

void fs_names_forgotten(struct fs_names *names, uint32_t serial, uint64_t count)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = find_serial(names, serial);
    if (!slot)
        return;
    slot->lookups -= count < slot->lookups ? count : slot->lookups;
    slot_settle(names, slot);
}

/* Take the record out of the list; the caller gets the reference to the task. */
static struct vhd_task *record_take(struct fs_names *names, struct slot *slot)
{
    if (!slot->task)
        return NULL;
    TAILQ_REMOVE(&names->records, slot, record_link);
    names->record_count--;
    return TAKE(slot->task);
}

static void record_put(struct fs_names *names, struct slot *slot, struct vhd_task *task)
{
    slot->task = task;
    TAILQ_INSERT_TAIL(&names->records, slot, record_link);
    names->record_count++;
}

static bool is_at_work(const struct slot *slot)
{
    return slot->is_claimed || (slot->task && !vhd_task_has_ended(slot->task));
}

/* Forget the oldest records above the limit whose tasks have ended. */
static void trim_history(struct fs_names *names)
{
    struct slot *slot = TAILQ_FIRST(&names->records);

    while (slot && names->record_count > names->history) {
        struct slot *next = TAILQ_NEXT(slot, record_link);
        if (!is_at_work(slot)) {
            vhd_task_unref(record_take(names, slot));
            slot_settle(names, slot);
        }
        slot = next;
    }
}

/* Have the text lead to a new slot, which gets the record; under the lock. */
static void retire(struct fs_names *names, struct slot *old)
{
    tdelete(old, &names->by_text, compare_text);
    old->is_current = false;
    if (!old->task)
        return;
    struct slot *new = slot_new(names, old->text);
    struct vhd_task *task = record_take(names, old);
    if (new)
        record_put(names, new, task);
    else
        vhd_task_unref(task);
}

void fs_name_retire(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    if (slot_of(name)->is_current)
        retire(names, slot_of(name));
}

/* A name that is at work keeps its entry: its task is about to change the disk. */
void fs_name_replace(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = slot_of(name);
    if (!slot->is_current || is_at_work(slot))
        return;
    slot->is_replaced = true;
    retire(names, slot);
}

bool fs_name_is_replaced(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return slot_of(name)->is_replaced;
}

void fs_name_move(struct fs_names *names, struct fs_name *name, struct fs_name *target)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = slot_of(name), *gone = slot_of(target);

    if (gone->is_current)
        tdelete(gone, &names->by_text, compare_text);
    gone->is_current = false;
    vhd_task_unref(record_take(names, gone));
    if (slot->is_current)
        tdelete(slot, &names->by_text, compare_text);
    /* Where memory is short it goes on without a name: it is still found by its serial. */
    slot->is_current =
        set_text(slot, gone->text) && tsearch(slot, &names->by_text, compare_text) != NULL;
}

bool fs_name_is_retired(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return !slot_of(name)->is_current && !slot_of(name)->is_replaced;
}

struct fs_disk *fs_name_disk(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = slot_of(name);
    if (!slot->disk)
        slot->disk = fs_disk_new();
    return slot->disk;
}

struct fs_disk *fs_name_known_disk(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return slot_of(name)->disk;
}

/* What a walk of a search tree hands on. */
struct walk {
    void (*visit)(void *arg, const struct fs_name *name, struct fs_disk *disk);
    void *arg;
};

static void visit_disk(const void *node, VISIT when, void *arg)
{
    const struct slot *slot = *(struct slot *const *)node;
    const struct walk *walk = arg;

    if ((when == postorder || when == leaf) && slot->disk)
        walk->visit(walk->arg, &slot->name, slot->disk);
}

void fs_names_each_disk(struct fs_names *names,
                        void (*visit)(void *arg, const struct fs_name *name, struct fs_disk *disk),
                        void *arg)
{
    struct walk walk = {visit, arg};

    HOLD_LOCK(&names->lock);
    twalk_r(names->by_serial, visit_disk, &walk);
}

struct vhd_task *fs_name_task(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = slot_of(name);
    return slot->task ? vhd_task_ref(slot->task) : NULL;
}

bool fs_name_is_at_work(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return is_at_work(slot_of(name));
}

static bool claim(struct slot *slot)
{
    if (!slot->is_current || is_at_work(slot))
        return false;
    slot->is_claimed = true;
    return true;
}

bool fs_name_claim(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return claim(slot_of(name));
}

int fs_names_claim(struct fs_names *names, const char *text, struct fs_name **ret)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = find_text(names, text);
    if (!slot)
        slot = slot_new(names, text);
    if (!slot)
        return -ENOMEM;
    if (!claim(slot))
        return -EBUSY;
    *ret = slot_ref(slot);
    return 0;
}

void fs_name_settle(struct fs_names *names, struct fs_name *name, struct vhd_task *task)
{
    struct vhd_task *former = NULL;

    {
        HOLD_LOCK(&names->lock);
        struct slot *slot = slot_of(name);
        slot->is_claimed = false;
        if (task) {
            former = record_take(names, slot);
            record_put(names, slot, vhd_task_ref(task));
            trim_history(names);
        }
    }
    vhd_task_unref(former);
}

int fs_name_forget_record(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot = slot_of(name);
    if (is_at_work(slot))
        return -EBUSY;
    if (!slot->task)
        return -ENOENT;
    vhd_task_unref(record_take(names, slot));
    return 0;
}

int fs_names_each_record(struct fs_names *names,
                         int (*visit)(void *arg, const struct fs_name *name, bool is_at_work),
                         void *arg)
{
    HOLD_LOCK(&names->lock);
    struct slot *slot;
    TAILQ_FOREACH(slot, &names->records, record_link) {
        int result = visit(arg, &slot->name, is_at_work(slot));
        if (result != 0)
            return result;
    }
    return 0;
}

void fs_name_request_opened(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    slot_of(name)->open_requests++;
}

void fs_name_request_closed(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    slot_of(name)->open_requests--;
}

bool fs_name_has_request(struct fs_names *names, struct fs_name *name)
{
    HOLD_LOCK(&names->lock);
    return slot_of(name)->open_requests > 0;
}

void fs_name_note_refused_unlink(struct fs_names *names, struct fs_name *name, pid_t pid)
{
    HOLD_LOCK(&names->lock);
    names->refused[names->next_refused++ % REFUSED_KEPT] =
        (struct refused){name->serial, pid, clock_monotonic().tv_sec};
}

bool fs_name_was_refused_unlink(struct fs_names *names, struct fs_name *name, pid_t pid)
{
    HOLD_LOCK(&names->lock);
    time_t now = clock_monotonic().tv_sec;
    for (unsigned i = 0; i < REFUSED_KEPT; i++) {
        const struct refused *refused = &names->refused[i];
        if (refused->serial == name->serial && refused->pid == pid &&
            now - refused->at < REFUSED_UNLINK_SECONDS)
            return true;
    }
    return false;
}
