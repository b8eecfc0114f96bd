/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "random.h"

/* One workload on one host. */
struct run {
    const struct stage *stage;
    const struct workload *workload;
    const struct effort *effort;
    struct made made;
    uint64_t fresh; /* fresh values that making the image used */
    struct judge judge;
    uint64_t logs;
};

/* The usual probe of a state that was opened for writing: it writes to the first free block. */
static void probe_new_block(struct play *play)
{
    static const char mark[SECTOR] = "written after the crash";
    uint32_t sectors = play->plan->block_sectors, number = 0;
    uint64_t off;

    /* Holes are whole blocks here, so this is the first block without an entry, if there is one. */
    if (play->disk && vhd_disk_seek(play->disk, 0, true, &off) == 0)
        number = (uint32_t)(off / SECTOR / sectors);
    if (number >= play->plan->blocks)
        number = play->plan->blocks - 1;
    play_write_value(play, block(play, number) + sectors / 2, value_of(mark));
    play_flush(play);
    play_observe(play);
}

/* Put the log's file in place and begin a play on it. */
static struct play begin(struct run *run, struct log *log, recorder_hook *hook, void *hook_arg)
{
    char path[300];

    run->logs++;
    stage_put(run->stage, STAGE_DISK, &log->live);
    recorder_watch(log, stage_path(run->stage, STAGE_DISK, path), hook, hook_arg);
    return stage_play(run->stage, STAGE_DISK, run->judge.plan, log);
}

/* End a play, and judge it and each crash in it. */
static bool end(struct run *run, struct play *play, uint32_t from)
{
    char path[300];

    play_close(play);
    recorder_stop(stage_path(run->stage, STAGE_DISK, path));
    return judge_play(&run->judge, play) && judge_log(&run->judge, play->log, from, DEPTH_MENDED);
}

/* A log of the new disk, before any operation. */
static struct log new_log(const struct run *run)
{
    struct log log;

    value_rewind(run->fresh);
    log_init(&log, &run->made.file, &run->made.disk);
    return log;
}

/* Kill the process at a position of a life, and let the next process continue. */
static bool run_kill(struct run *run, const struct log *life, uint32_t position)
{
    struct log log;

    log_fork(life, position, &log);
    struct play play = begin(run, &log, NULL, NULL);
    run->workload->next(&play);
    bool is_good = end(run, &play, position);
    log_free(&log);
    return is_good;
}

static bool run_kills(struct run *run, const struct log *life)
{
    const uint32_t step = (life->count + run->effort->kills) / run->effort->kills;
    const uint64_t fresh = value_count_fresh();
    bool is_good = true;

    for (uint32_t position = 1; is_good && position <= life->count; position += step) {
        value_rewind(fresh);
        is_good = run_kill(run, life, position);
    }
    return is_good;
}

/* Run one thread on a host without failures. */
static bool run_life(struct run *run)
{
    struct log log = new_log(run);
    struct play play = begin(run, &log, NULL, NULL);

    run->workload->life(&play);
    bool is_good = end(run, &play, 0);
    if (is_good && run->workload->is_killed)
        is_good = run_kills(run, &log);
    log_free(&log);
    return is_good;
}

/* Run two threads in one order. *ret_is_last tells that there are no more orders. */
static bool run_order(struct run *run, unsigned held, uint32_t call, bool *ret_is_last)
{
    struct schedule *schedule = schedule_new(held, call);
    struct log log = new_log(run);
    struct play play = begin(run, &log, schedule_hook, schedule);

    run->workload->life(&play);
    schedule_run(schedule, &play,
                 (player *[2]){run->workload->players[0], run->workload->players[1]});
    *ret_is_last = !schedule_end(schedule);
    recorder_hook_off();
    play_observe(&play);
    if (run->workload->end)
        run->workload->end(&play);
    bool is_good = end(run, &play, 0);
    log_free(&log);
    return is_good;
}

static bool run_orders(struct run *run)
{
    for (unsigned held = 0; held < 2; held++) {
        bool is_last = false;
        for (uint32_t call = 0; !is_last; call++) {
            if (!run_order(run, held, call, &is_last))
                return false;
        }
    }
    return true;
}

/* A host that fails. */
struct failing {
    const struct failure *failure;
    uint32_t call, count; /* number of the first failing call; calls so far */
};

static int fail(void *arg, enum call call)
{
    struct failing *failing = arg;
    const struct failure *failure = failing->failure;

    if (!(failure->calls >> call & 1))
        return 0;
    uint32_t number = failing->count++;
    if (number < failing->call)
        return 0;
    if (number == failing->call)
        return failure->outcomes[0];
    return number == failing->call + 1 || failure->lasts ? failure->outcomes[1] : 0;
}

/* Run a life in which the n-th call fails. *ret_is_last tells that there are no more calls. */
static bool run_failure(struct run *run, uint32_t call, bool *ret_is_last)
{
    struct failing failing = {&run->workload->failure, call, 0};
    struct log log = new_log(run);
    struct play play = begin(run, &log, fail, &failing);

    play.may_fail = true;
    run->workload->life(&play);
    bool is_good = !play_close(&play) || judge_left(&run->judge, &log);
    *ret_is_last = failing.count <= call;
    recorder_hook_off();
    play.may_fail = false;
    if (run->workload->next)
        run->workload->next(&play);
    is_good = end(run, &play, 0) && is_good;
    log_free(&log);
    return is_good;
}

static bool run_failures(struct run *run)
{
    bool is_last = false, is_good = true;

    run->judge.is_failing = true;
    for (uint32_t call = 0; is_good && !is_last; call++)
        is_good = run_failure(run, call, &is_last);
    return is_good;
}

/* Run random lives. Each begins with the state that a crash of the one before has left. */
static bool run_random(struct run *run, uint64_t seed)
{
    enum { LIVES = 4 };
    struct log log = new_log(run);
    bool is_good = true;
    uint32_t from = 0;

    for (int life = 0; is_good && life < LIVES; life++) {
        struct play play = begin(run, &log, NULL, NULL);
        chance_live(&play, &seed);
        is_good = end(run, &play, from);
        if (is_good && life + 1 < LIVES)
            from = chance_crash(&log, run->judge.plan, &run->made, run->judge.host, &seed);
    }
    log_free(&log);
    return is_good;
}

static bool run_randoms(struct run *run)
{
    uint64_t seed = run->effort->seed;

    for (uint32_t i = 0; i < run->effort->random_runs; i++) {
        uint64_t own = random_next(&seed) | 1;
        if (!run_random(run, own)) {
            printf("  run %u of the seed\n", i);
            return false;
        }
    }
    return true;
}

static bool run_all(struct run *run)
{
    const struct workload *workload = run->workload;

    if (workload->is_random)
        return run_randoms(run);
    if (workload->players[0])
        return run_orders(run);
    return workload->failure.calls ? run_failures(run) : run_life(run);
}

static bool run_on(const struct stage *stage, const struct workload *workload,
                   const struct effort *effort, enum host_class host, struct sample *sample,
                   bool is_quiet, struct tally *tally)
{
    struct run run = {.stage = stage, .workload = workload, .effort = effort};

    run.made = plan_make(workload->plan);
    run.fresh = value_count_fresh();
    run.judge = (struct judge){
        .stage = stage,
        .plan = workload->plan,
        .made = &run.made,
        .host = host,
        .limits = effort->limits,
        .nested_limits = effort->nested_limits,
        .mended_share = effort->mended_share,
        .probe = workload->probe ? workload->probe : probe_new_block,
        .sample = sample,
        .is_quiet = is_quiet,
        .seed = effort->seed,
    };
    recorder_be_host(host);
    if (plan_has_parent(workload->plan))
        stage_put(stage, PLAN_PARENT, &run.made.parent_file);
    if (plan_has_parent(workload->plan))
        stage_put(stage, PLAN_OTHER, &run.made.parent_file);
    bool is_good = run_all(&run);
    tally->tried += run.judge.tried;
    tally->distinct += run.judge.seen.count;
    tally->logs += run.logs;
    if (!is_good)
        snprintf(tally->fault, sizeof tally->fault, "class %s: %s", host_names[host],
                 run.judge.fault);
    seen_free(&run.judge.seen);
    made_free(&run.made);
    return is_good;
}

void run_workload(const struct stage *stage, const struct workload *workload,
                  const struct effort *effort, struct sample *sample, bool is_quiet,
                  struct tally *ret)
{
    *ret = (struct tally){.tried = 0};
    for (unsigned host = 0; host < HOST_COUNT; host++) {
        bool is_wanted = workload->hosts & effort->hosts & 1u << host;
        if (is_wanted &&
            !run_on(stage, workload, effort, (enum host_class)host, sample, is_quiet, ret))
            return;
    }
}
