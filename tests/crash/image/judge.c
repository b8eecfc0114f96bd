/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "promise.h"

/* The judge's place in a log. */
struct post {
    struct judge *judge;
    const struct log *log;
    struct medium *medium;
    uint32_t position;
    enum depth depth;
    const struct promise *promise;
    uint32_t parent;  /* recorded before the log; its number */
    uint32_t parents; /* that may be recorded; bit i: the one with number i */
    enum crash crash;
    bool needs_tail;
};

static bool fault(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Remember the first fault. Returns false, so that a check is one line. */
static bool fault(struct judge *judge, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (!*judge->fault)
        vsnprintf(judge->fault, sizeof judge->fault, format, list);
    va_end(list);
    return false;
}

bool judge_play(struct judge *judge, const struct play *play)
{
    if (!*play->fault)
        return true;
    fault(judge, "%s", play->fault);
    if (!judge->is_quiet)
        log_print(play->log);
    return false;
}

/* Print the sectors in which a state differs from the host's view. */
static void print_state(const struct post *post, const struct state *state)
{
    struct content live = medium_live(post->medium);

    printf("  %s after record %u, length %u; otherwise than the host showed it:",
           post->crash == CRASH_KILL ? "killed" : "power lost", post->position - 1,
           state->file.count);
    for (uint32_t i = 0; i < state->file.count; i++) {
        if (i >= live.count || state->file.values[i] != live.values[i])
            printf(" %u:v%u", i, state->file.values[i]);
    }
    printf("\n");
    content_free(&live);
}

/* Start a play on the state, as the next opening would find it. */
static struct play begin_play(struct judge *judge, const struct state *state,
                              const struct content *disk, struct log *log)
{
    char path[300];

    log_init(log, &state->file, disk);
    recorder_watch(log, stage_path(judge->stage, STAGE_STATE, path), NULL, NULL);
    return stage_play(judge->stage, STAGE_STATE, judge->plan, log);
}

static bool end_play(struct judge *judge, const struct play *play)
{
    char path[300];

    recorder_stop(stage_path(judge->stage, STAGE_STATE, path));
    return judge_play(judge, play);
}

/* Read the state by the library. The content is the same, and the library writes nothing. */
static bool examine_by_library(struct judge *judge, const struct state *state,
                               const struct content *disk)
{
    struct log log;
    struct play play = begin_play(judge, state, disk, &log);

    play_open(&play, true);
    play_close(&play);
    bool is_good = end_play(judge, &play);
    for (uint32_t i = 0; is_good && i < log.count; i++) {
        if (log.records[i].kind != RECORD_OP_BEGIN && log.records[i].kind != RECORD_OP_END)
            is_good = fault(judge, "opened for reading, it was written to");
    }
    log_free(&log);
    return is_good;
}

/* Open the state for writing and continue. No crash from now on may change its content. */
static bool examine_by_writing(struct judge *judge, const struct state *state,
                               const struct content *disk, enum depth depth)
{
    struct log log;
    struct play play = begin_play(judge, state, disk, &log);

    play_open(&play, false);
    if (depth == DEPTH_MENDED)
        judge->probe(&play);
    play_close(&play);
    bool is_good = end_play(judge, &play);
    if (is_good && depth == DEPTH_MENDED)
        is_good = judge_log(judge, &log, 0, DEPTH_OPENED);
    else if (is_good)
        is_good = judge_log(judge, &log, log.count, DEPTH_READ);
    log_free(&log);
    return is_good;
}

/* Examine a state that was not examined at this depth before. */
static bool examine(struct judge *judge, const struct state *state, enum depth depth,
                    struct seen_state *seen)
{
    if (seen->depth == DEPTH_NONE) {
        struct parsed parsed;
        if (!parse(&state->file, judge->plan, judge->made, &parsed))
            return fault(judge, "%s", parsed.fault);
        seen->has_tail = parsed.has_tail;
        seen->parent = parsed.parent;
        seen->disk = parsed.disk;
        stage_put(judge->stage, STAGE_STATE, &state->file);
        if (!examine_by_library(judge, state, &seen->disk))
            return false;
        if (judge->sample)
            sample_offer(judge->sample, judge->plan, &state->file, seen->has_tail);
    }
    seen->depth = depth;
    if (depth == DEPTH_READ)
        return true;
    stage_put(judge->stage, STAGE_STATE, &state->file);
    return examine_by_writing(judge, state, &seen->disk, depth);
}

/*
 * The depth for a state. The key decides which states are mended, so their order does not matter.
 */
static enum depth depth_of(const struct post *post, const struct state *state)
{
    bool is_left_out = state->key.b % post->judge->mended_share != 0;
    return post->depth == DEPTH_MENDED && is_left_out ? DEPTH_READ : post->depth;
}

/* Judge one state; a state_visit. */
static bool judge_state(void *arg, const struct state *state)
{
    struct post *post = arg;
    struct judge *judge = post->judge;
    struct seen_state *seen = seen_find(&judge->seen, state->key);
    enum depth depth = depth_of(post, state);
    uint32_t sector;

    judge->tried++;
    bool is_good = seen->depth >= depth || examine(judge, state, depth, seen);
    if (is_good && post->needs_tail && !seen->has_tail)
        is_good = fault(judge, "I2: no footer at the end of the file");
    if (is_good && !promise_holds(post->promise, &seen->disk, &sector))
        is_good =
            fault(judge, "I5: sector %u of the disk holds v%u", sector, seen->disk.values[sector]);
    if (is_good && !(post->parents >> seen->parent & 1))
        is_good = fault(judge, "the disk records the parent \"%s\"", plan_parents[seen->parent]);
    if (!is_good && !judge->is_quiet)
        print_state(post, state);
    return is_good;
}

/* Must a footer end the file, in each state of a power loss? */
static bool needs_tail(const struct judge *judge, const struct medium *medium, bool had_tail)
{
    return had_tail && (judge->host != HOST_A || !medium_is_growing(medium));
}

/*
 * Is the last record a reply that makes nothing durable? It adds nothing to the promise for a power
 * loss.
 */
static bool is_mere_answer(const struct post *post)
{
    const struct record *last = post->position > 0 ? &post->log->records[post->position - 1] : NULL;
    return last && last->kind == RECORD_OP_END && last->op != OP_FLUSH && last->op != OP_OBSERVE &&
           last->op != OP_RELINK;
}

/* Judge every state that a power loss can leave at a position. */
static bool judge_power(struct post *post, struct promise *promise, bool had_tail)
{
    struct judge *judge = post->judge;

    if (is_mere_answer(post))
        return true;
    promise_at(promise, post->log, post->position, CRASH_POWER, 0);
    post->parents = promise_parents(post->log, post->position, post->parent);
    post->crash = CRASH_POWER;
    post->needs_tail = needs_tail(judge, post->medium, had_tail);
    return medium_each(post->medium,
                       post->depth == DEPTH_MENDED ? judge->limits : judge->nested_limits,
                       &judge->seed, judge_state, post);
}

/* Judge the one state that a kill leaves: the host's view. */
static bool judge_kill(struct post *post, struct promise *promise, bool had_tail)
{
    struct judge *judge = post->judge;
    struct content live = medium_live(post->medium);
    struct state state = state_of(&live);
    enum depth depth = post->depth;

    promise_at(promise, post->log, post->position, CRASH_KILL,
               plan_has_parent(judge->plan) ? 8 : 0);
    post->parents = promise_parents(post->log, post->position, post->parent);
    post->crash = CRASH_KILL;
    post->needs_tail = had_tail && !judge->is_failing;
    post->depth = DEPTH_READ;
    bool is_good = judge_state(post, &state);
    post->depth = depth;
    content_free(&state.file);
    content_free(&live);
    return is_good;
}

/* Does a footer end the file: is its last sector equal to its first? A fixed disk counts as yes. */
static bool has_tail(const struct judge *judge, const struct content *file)
{
    return judge->plan->type == TYPE_FIXED || file->values[file->count - 1] == file->values[0];
}

bool judge_left(struct judge *judge, const struct log *log)
{
    return has_tail(judge, &log->live) ||
           fault(judge, "I2: no footer at the end of the file after a clean close");
}

/* The number of the parent that a file records. A file at fault is judged later. */
static uint32_t recorded_parent(const struct judge *judge, const struct content *file)
{
    struct parsed parsed;

    if (!parse(file, judge->plan, judge->made, &parsed))
        return 0;
    content_free(&parsed.disk);
    return parsed.parent;
}

bool judge_log(struct judge *judge, const struct log *log, uint32_t from, enum depth depth)
{
    struct promise promise = {.sectors = 0};
    struct post post = {
        .judge = judge,
        .log = log,
        .medium = medium_new(log, judge->host),
        .depth = depth,
        .promise = &promise,
        .parent = recorded_parent(judge, &log->base),
    };
    bool had_tail = has_tail(judge, &log->base), is_good = true;

    for (; is_good && post.position <= log->count; post.position++) {
        bool is_due =
            post.position >= from && (post.position == from || post.position == log->count ||
                                      record_matters(&log->records[post.position - 1]));
        if (is_due)
            is_good = judge_power(&post, &promise, had_tail) &&
                      (depth != DEPTH_MENDED || judge_kill(&post, &promise, had_tail));
        if (!is_good || post.position == log->count)
            continue;
        medium_step(post.medium);
        if (log->records[post.position].kind == RECORD_REVEAL)
            had_tail = has_tail(judge, &log->records[post.position].after);
    }
    if (!is_good && !judge->is_quiet)
        log_print(log);
    promise_free(&promise);
    medium_free(post.medium);
    return is_good;
}
