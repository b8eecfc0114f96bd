/* SPDX-License-Identifier: MIT */
/*
 * files SCENARIO -d FOLDER [-s SEED] [-t SECONDS] [-r ROUNDS] [-g HOST] [-e EXPECTED]: processes
 * use the files FOLDER/a/raw and FOLDER/b/raw at random in all ways that the kernel has, and every
 * byte is checked.
 *
 *   SCENARIO  cached: plain reads and writes at any byte; every-way: all kinds of handles at once,
 *             mappings too, with lots of whole pages; full: the host fills up now and then
 *   HOST      a folder on the file system that fills up
 *   EXPECTED  receives the expected content of the disks at the end, as the files a and b
 *
 * If this failed: a program would lose data that it wrote to a mounted disk, or find it at a wrong
 * place.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chance.h"
#include "fault.h"
#include "file.h"
#include "hog.h"
#include "trial.h"
#include "worker.h"

enum { PROCESSES = 4 };

static const char *const names[WORKER_DISKS] = {"a", "b"};

/* Each process opens its own files. The address is the same in all. */
static struct file_target targets[WORKER_DISKS];

struct job {
    const struct trial_options *options;
    char paths[WORKER_DISKS][PATH_MAX];
    uint64_t seed;
    struct crew *crew;
    struct ledger_plan plan;
    bool is_mapped, is_host_small;
    unsigned rounds;
};

static void open_files(const struct job *job, uint64_t seed)
{
    for (unsigned i = 0; i < WORKER_DISKS; i++)
        file_target_open(&targets[i], job->paths[i], job->is_mapped, chance_seed(seed, i));
}

static void close_files(const struct job *job)
{
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        int err = file_target_close(&targets[i]);
        if (err < 0)
            fault(job->crew->disks[i].ledger, 0, "closing fails: %s", strerror(-err));
    }
}

/* Runs in a process of its own. */
_Noreturn static void work(const struct job *job, unsigned number)
{
    const uint64_t seed = chance_seed(job->seed, (uint64_t)job->rounds * PROCESSES + number);
    struct worker worker = {
        .crew = job->crew,
        .number = number,
        .seed = seed,
        .sequence = (uint64_t)job->rounds << 20,
    };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    open_files(job, seed);
    worker_run(&worker);
    close_files(job);
    _exit(EXIT_SUCCESS);
}

static void await_all(const pid_t pids[PROCESSES])
{
    bool is_good = true;
    int status;

    for (unsigned i = 0; i < PROCESSES; i++) {
        if (waitpid(pids[i], &status, 0) != pids[i])
            err(EXIT_FAILURE, "waitpid");
        if (WIFSIGNALED(status))
            fprintf(stderr, "a process has ended by signal %d\n", WTERMSIG(status));
        is_good = is_good && status == 0;
    }
    if (!is_good)
        exit(EXIT_FAILURE);
}

static int read_file(void *arg, void *buf, uint64_t len, uint64_t off)
{
    ssize_t n = pread(*(const int *)arg, buf, len, (off_t)off);
    return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

/* Check all files, opened with these flags of open(2). */
static void check_all(const struct job *job, int flags)
{
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        AUTO_CLOSE int fd = open(job->paths[i], flags | O_CLOEXEC);
        if (fd < 0)
            err(EXIT_FAILURE, "%s", job->paths[i]);
        ledger_conclude(job->crew->disks[i].ledger, 0, read_file, &fd);
    }
}

/* The host has space again, so every call must succeed. */
static void go_on(struct job *job)
{
    struct worker worker = {
        .crew = job->crew,
        .seed = chance_seed(job->seed, job->rounds),
        .sequence = ((uint64_t)job->rounds << 20) + (1 << 19),
    };

    job->crew->may_be_full = false;
    open_files(job, job->seed);
    worker_begin(&worker);
    for (int i = 0; i < 20; i++)
        worker_deed(&worker);
    worker_end(&worker);
    close_files(job);
    job->crew->may_be_full = true;
}

static void do_round(struct job *job)
{
    pid_t pids[PROCESSES];
    struct hog hog;

    job->rounds++;
    job->crew->is_over = false;
    for (unsigned i = 0; i < WORKER_DISKS; i++)
        ledger_cut(job->crew->disks[i].ledger, &job->plan, &job->seed);
    for (unsigned i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            err(EXIT_FAILURE, "fork");
        if (pids[i] == 0)
            work(job, i);
    }
    if (job->is_host_small)
        hog_begin(&hog, job->options->host, chance_seed(job->seed, 0));
    crew_await(job->crew, 200 + chance_below(&job->seed, 1000), 3000);
    __atomic_store_n(&job->crew->is_over, true, __ATOMIC_RELAXED);
    await_all(pids);
    if (job->is_host_small) {
        hog_end(&hog);
        go_on(job);
    }
    check_all(job, O_RDONLY);
    check_all(job, O_RDONLY | O_DIRECT);
}

/* A ledger with the present content of the file. */
static struct ledger *ledger_of(const char *path, const char *name, struct ledger_clock *clock)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat attributes;

    if (fd < 0 || fstat(fd, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    struct ledger *ledger = ledger_new(name, (uint64_t)attributes.st_size, clock);
    for (uint64_t off = 0, piece; off < ledger->size; off += piece) {
        piece = ledger->size - off < 1 << 20 ? ledger->size - off : 1 << 20;
        if (read_file(&fd, ledger->bytes + off, piece, off) < 0)
            err(EXIT_FAILURE, "%s", path);
    }
    return ledger;
}

/* Write the expected content of the disks into a folder. */
static void tell_expected(const struct job *job)
{
    for (unsigned i = 0; job->options->expected && i < WORKER_DISKS; i++) {
        const struct ledger *ledger = job->crew->disks[i].ledger;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", job->options->expected, names[i]);
        AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0 || write(fd, ledger->bytes, ledger->size) != (ssize_t)ledger->size)
            err(EXIT_FAILURE, "%s", path);
    }
}

static void prepare(struct job *job)
{
    struct ledger_clock *clock = ledger_memory(sizeof *clock);
    bool is_cached = strcmp(job->options->scenario, "cached") == 0;

    job->is_host_small = strcmp(job->options->scenario, "full") == 0;
    job->is_mapped = strcmp(job->options->scenario, "every-way") == 0;
    if (!job->options->folder || is_cached + job->is_host_small + job->is_mapped != 1 ||
        job->is_host_small != !!job->options->host)
        errx(2, "called wrongly");
    job->plan = (struct ledger_plan){
        .workers = PROCESSES,
        .align = is_cached ? 1 : 4096,
        .shared_percent = 25,
        .shared_max = 6 << 20,
        .lot_max = 6 << 20,
    };
    job->crew = ledger_memory(sizeof *job->crew);
    job->crew->may_be_full = job->is_host_small;
    job->crew->disk_count = WORKER_DISKS;
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        snprintf(job->paths[i], PATH_MAX, "%s/%s/raw", job->options->folder, names[i]);
        job->crew->disks[i] = (struct stressed){
            .ledger = ledger_of(job->paths[i], names[i], clock),
            .target = &targets[i].target,
            .is_writable = true,
        };
    }
}

int main(int argc, char **argv)
{
    struct trial_options options;

    trial_parse(argc, argv, &options);
    struct job job = {.options = &options, .seed = chance_seed(options.seed, 0)};
    const time_t end = time(NULL) + (time_t)options.seconds;
    printf("seed %" PRIu64 "\n", options.seed);
    fflush(stdout);
    fault_begin(options.seed);
    prepare(&job);
    while (job.rounds < options.rounds || time(NULL) < end)
        do_round(&job);
    tell_expected(&job);
    printf("%u rounds, ", job.rounds);
    crew_tell(job.crew);
    return EXIT_SUCCESS;
}
