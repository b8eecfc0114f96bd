/* SPDX-License-Identifier: MIT */
/*
 * rounds COUNT [SEED]: kill -9 under load. A process with many threads works on a disk and is
 * killed. Then every write that got a reply must be there.
 *
 * If this failed: after kill -9 of the daemon a disk would lose answered writes, or would not open.
 */
#include <err.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "file.h"
#include "parse.h"
#include "random.h"
#include "stage.h"

enum { THREADS = 6, RUN = 3, SECTORS_MAX = 65536, KILL_DEADLINE_MS = 20000 };

/*
 * The board: shared memory in which the worker process notes its deeds before the kill. Each sector
 * belongs to one thread, which counts its deeds there. The sector holds that count, or zeros.
 */
struct board {
    uint64_t deeds; /* atomic, of all threads in this round */
    uint64_t total; /* of all rounds */
    struct mark {
        uint32_t begun, answered, flushed; /* atomic; counts */
        uint32_t discard;                  /* the last of them that was a discard */
    } marks[SECTORS_MAX];
};

/* The kinds of disks, and the number of kills before a disk is made again. */
static const struct plan plans[] = {
    {.type = TYPE_DYNAMIC, .block_sectors = 64, .blocks = 48},
    {.type = TYPE_DIFFERENCING,
     .block_sectors = 64,
     .blocks = 48,
     .allocated = 5,
     .parent_blocks = 0xF0F0F0F0F0F0},
    {.type = TYPE_DYNAMIC, .block_sectors = 4096, .blocks = 12},
    {.type = TYPE_DYNAMIC,
     .block_sectors = 64,
     .blocks = 48,
     .allocated = 20,
     .is_packed = true,
     .bitmap = 0xF0,
     .has_rubbish = true},
    {.type = TYPE_FIXED, .block_sectors = 64, .blocks = 48},
};
enum { KILLS_A_DISK = 4 };

/* The state of one round. */
struct round {
    struct stage *stage;
    struct board *board;
    const struct plan *plan;
    const struct made *made;
    struct vhd_disk *disk;
    uint64_t seed;
};

/* The state of one thread. */
struct worker {
    const struct round *round;
    unsigned number;
    uint64_t seed;
};

/*
 * The owner of a sector. In the lower half threads share blocks; in the upper half each has its
 * own.
 */
static unsigned owner_of(const struct plan *plan, uint32_t sector)
{
    if (sector < plan_sectors(plan) / 2)
        return sector / RUN % THREADS;
    return sector / plan->block_sectors % THREADS;
}

/* Fill in the content that the n-th deed leaves in a sector. */
static void fill(uint8_t *bytes, uint32_t sector, uint32_t n)
{
    uint32_t words[SECTOR / 4];

    for (size_t i = 0; i < SECTOR / 4; i += 2) {
        words[i] = sector ^ 0xA5A5A5A5;
        words[i + 1] = n;
    }
    memcpy(bytes, words, SECTOR);
}

/* Begin a deed on sectors of one thread: count it. */
static void begin(const struct worker *worker, uint32_t first, uint32_t count, bool is_discard)
{
    for (uint32_t i = first; i < first + count; i++) {
        struct mark *mark = &worker->round->board->marks[i];
        uint32_t n = mark->begun + 1;
        if (is_discard)
            __atomic_store_n(&mark->discard, n, __ATOMIC_SEQ_CST);
        __atomic_store_n(&mark->begun, n, __ATOMIC_SEQ_CST);
    }
}

static void answer(const struct worker *worker, uint32_t first, uint32_t count, int err)
{
    if (err < 0)
        errx(EXIT_FAILURE, "a write failed: %s", strerrorname_np(-err));
    for (uint32_t i = first; i < first + count; i++) {
        struct mark *mark = &worker->round->board->marks[i];
        __atomic_store_n(&mark->answered, mark->begun, __ATOMIC_SEQ_CST);
    }
    __atomic_fetch_add(&worker->round->board->deeds, 1, __ATOMIC_SEQ_CST);
}

/* The number of sectors from first on that belong to the thread, at most count. */
static uint32_t owned(const struct worker *worker, uint32_t first, uint32_t count)
{
    const struct plan *plan = worker->round->plan;
    uint32_t have = 0;

    while (have < count && first + have < plan_sectors(plan) &&
           owner_of(plan, first + have) == worker->number)
        have++;
    return have;
}

static void write_some(struct worker *worker, uint32_t first, uint32_t count)
{
    uint8_t bytes[64 * SECTOR];

    begin(worker, first, count, false);
    for (uint32_t i = 0; i < count; i++)
        fill(bytes + (size_t)i * SECTOR, first + i, worker->round->board->marks[first + i].begun);
    answer(worker, first, count,
           vhd_disk_write(worker->round->disk, bytes, (size_t)count * SECTOR,
                          (uint64_t)first * SECTOR));
}

static void discard_some(struct worker *worker, uint32_t first, uint32_t count)
{
    begin(worker, first, count, true);
    answer(
        worker, first, count,
        vhd_disk_discard(worker->round->disk, (uint64_t)count * SECTOR, (uint64_t)first * SECTOR));
}

/* Flush. All earlier replies of this thread are durable then. */
static void flush(struct worker *worker)
{
    const struct plan *plan = worker->round->plan;
    struct mark *marks = worker->round->board->marks;

    int err = vhd_disk_flush(worker->round->disk);
    if (err < 0)
        errx(EXIT_FAILURE, "a flush failed: %s", strerrorname_np(-err));
    for (uint32_t i = 0; i < plan_sectors(plan); i++) {
        if (owner_of(plan, i) == worker->number)
            __atomic_store_n(&marks[i].flushed, marks[i].answered, __ATOMIC_SEQ_CST);
    }
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    const struct plan *plan = worker->round->plan;

    for (;;) {
        uint32_t kind = random_below(&worker->seed, 100);
        uint32_t first = random_below(&worker->seed, plan_sectors(plan));
        bool is_whole = random_below(&worker->seed, 4) == 0;
        if (is_whole)
            first = first / plan->block_sectors * plan->block_sectors;
        uint32_t count = owned(worker, first, is_whole ? 64 : 1 + random_below(&worker->seed, 9));
        if (kind < 3)
            flush(worker);
        else if (count > 0 && kind < 25)
            discard_some(worker, first, owned(worker, first, plan->block_sectors));
        else if (count > 0)
            write_some(worker, first, count);
    }
    return NULL;
}

/* The process that gets killed. */
static void live(struct round *round)
{
    struct worker workers[THREADS];
    struct vhd_verdict why;
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (vhd_disk_open(round->stage->catalogue, STAGE_DISK, VHD_DISK_WRITE, &round->disk, &why) !=
        VHD_OK)
        errx(EXIT_FAILURE, "%s", why.sentence);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){round, i, random_next(&round->seed) | 1};
        if (pthread_create(&thread, NULL, work, &workers[i]) != 0)
            errx(EXIT_FAILURE, "no thread");
    }
    pthread_join(thread, NULL);
}

/* Kill the process after so many deeds. */
static void kill_at(const struct board *board, pid_t child, uint64_t deeds)
{
    const struct timespec pause = {.tv_nsec = 20000};
    int status;

    for (unsigned checks = 0; __atomic_load_n(&board->deeds, __ATOMIC_SEQ_CST) < deeds; checks++) {
        if (waitpid(child, &status, WNOHANG) == child)
            errx(EXIT_FAILURE, "it has ended by itself");
        if (checks > KILL_DEADLINE_MS * 50)
            errx(EXIT_FAILURE, "it does nothing any more");
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        errx(EXIT_FAILURE, "it has ended by itself");
}

/* May a sector hold this content? *ret_n is the deed that left it there. */
static bool is_legal(const struct round *round, uint32_t sector, const uint8_t *bytes,
                     uint32_t *ret_n)
{
    const struct mark *mark = &round->board->marks[sector];
    const bool may_lose = plan_has_parent(round->plan);
    const uint32_t low = may_lose ? mark->flushed : mark->answered;
    static const uint8_t zeros[SECTOR];
    uint8_t expected[SECTOR];

    for (*ret_n = low; *ret_n <= mark->begun; ++*ret_n) {
        fill(expected, sector, *ret_n);
        if (*ret_n > 0 && memcmp(bytes, expected, SECTOR) == 0)
            return true;
    }
    *ret_n = mark->discard;
    if (mark->discard >= low && mark->discard > 0 && memcmp(bytes, zeros, SECTOR) == 0)
        return true;
    *ret_n = 0;
    return low == 0 && memcmp(bytes, value_bytes(round->made->disk.values[sector]), SECTOR) == 0;
}

/* Read and check the disk. The content that was read counts from now on. */
static void check_content(struct round *round, unsigned flags, const char *when)
{
    const uint32_t sectors = plan_sectors(round->plan);
    uint8_t *bytes = malloc((size_t)sectors * SECTOR);
    struct vhd_verdict why;
    uint32_t n;

    if (vhd_disk_open(round->stage->catalogue, STAGE_DISK, flags, &round->disk, &why) != VHD_OK)
        errx(EXIT_FAILURE, "%s: %s", when, why.sentence);
    if (!bytes || vhd_disk_read(round->disk, bytes, (size_t)sectors * SECTOR, 0, NULL) < 0)
        errx(EXIT_FAILURE, "%s: it cannot be read", when);
    for (uint32_t i = 0; i < sectors; i++) {
        struct mark *mark = &round->board->marks[i];
        if (!is_legal(round, i, bytes + (size_t)i * SECTOR, &n))
            errx(EXIT_FAILURE, "%s: sector %u: %u deeds begun, %u answered, %u flushed, none there",
                 when, i, mark->begun, mark->answered, mark->flushed);
        mark->begun = mark->answered = mark->flushed = n;
        mark->discard = mark->discard > n ? 0 : mark->discard;
    }
    if (vhd_disk_close(round->disk, NULL) < 0)
        errx(EXIT_FAILURE, "%s: it cannot be closed", when);
    free(bytes);
}

/* Check the image itself, if it is small. */
static void check_image(const struct round *round)
{
    struct parsed parsed;
    char path[300];

    if (round->plan->block_sectors > 64)
        return;
    struct content file = file_read(stage_path(round->stage, STAGE_DISK, path));
    if (!parse(&file, round->plan, round->made, &parsed) || !parsed.has_tail)
        errx(EXIT_FAILURE, "%s", *parsed.fault ? parsed.fault : "I2: no footer at the end");
    content_free(&parsed.disk);
    content_free(&file);
}

static void run_round(struct round *round)
{
    round->board->deeds = 0;
    pid_t child = fork();
    if (child < 0)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        live(round);
        _exit(EXIT_FAILURE);
    }
    kill_at(round->board, child, 20 + random_below(&round->seed, 3000));
    check_image(round);
    check_content(round, 0, "after the kill");
    check_content(round, VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, "opened for writing");
    check_image(round);
    round->board->total += round->board->deeds;
}

/* Make a disk and run some rounds with it. */
static void run_disk(struct round *round, uint32_t number, uint32_t rounds)
{
    round->plan = &plans[number % (sizeof plans / sizeof *plans)];
    struct made made = plan_make(round->plan);

    round->made = &made;
    memset(round->board->marks, 0, sizeof round->board->marks);
    stage_put(round->stage, STAGE_DISK, &made.file);
    if (plan_has_parent(round->plan))
        stage_put(round->stage, PLAN_PARENT, &made.parent_file);
    for (uint32_t i = 0; i < rounds; i++)
        run_round(round);
    made_free(&made);
}

/* Run a disk in a process of its own, whose end frees all values and the traces of a failure. */
static bool run_disk_apart(struct round *round, uint32_t number, uint32_t rounds)
{
    int status;
    pid_t child = fork();

    if (child < 0)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_disk(round, number, rounds);
        exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static struct board *new_board(void)
{
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (board == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    return board;
}

/* Rounds: from the command line, else 20, or 200 at full effort. */
static uint32_t wanted_rounds(char **argv)
{
    const char *effort = getenv("VHD_CRASH_EFFORT");

    if (argv[1])
        return (uint32_t)strtoul(argv[1], NULL, 10);
    return effort && strcmp(effort, "full") == 0 ? 200 : 20;
}

int main(int argc, char **argv)
{
    const uint32_t wanted = wanted_rounds(argv);
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    struct stage stage;
    bool is_good = true;

    printf("seed %" PRIu64 "\n", seed);
    fflush(stdout);
    stage_open(&stage);
    struct board *board = new_board();
    for (uint32_t done = 0; is_good && done < wanted; done += KILLS_A_DISK) {
        struct round round = {.stage = &stage, .board = board, .seed = (seed + done) * 2 + 1};
        uint32_t left = wanted - done;
        is_good =
            run_disk_apart(&round, done / KILLS_A_DISK, left < KILLS_A_DISK ? left : KILLS_A_DISK);
    }
    stage_close(&stage);
    printf("%u rounds of kill -9, %" PRIu64 " writes and discards: %s\n", wanted, board->total,
           is_good ? "all there" : "FAULT");
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
