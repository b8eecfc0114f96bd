/* SPDX-License-Identifier: MIT */
/*
 * A model of the host's medium. From a record it builds the states in which a power cut may leave
 * the file: each sector as at the last barrier or as written since, the length too. A file that
 * includes this has included cmocka.h before.
 */
#pragma once

#include "engine.h"
#include "recorder.h"

enum { SECTOR = 512, FILE_MAX = 1 << 17, SECTORS = FILE_MAX / SECTOR };

struct file {
    uint64_t len;
    uint8_t bytes[FILE_MAX];
};

/* The file as durable, as live, and the sectors in which they differ. */
static struct medium {
    struct file durable, live;
    bool touched[SECTORS];
    struct file seen; /* the last state that was judged; empty for none */
} medium;

/* Where a power cut comes. */
struct cut {
    size_t events;   /* before it */
    bool is_done;    /* the change of the image had returned */
    bool is_class_a; /* the length is durable before the footer there */
};

/* Judge a state. Returns whether it is without fault. */
typedef bool judge_cut(const struct file *state, const struct cut *cut);

static inline void load(const char *folder, const char *file, struct file *ret)
{
    size_t len;
    uint8_t *bytes = file_bytes(folder, file, &len);

    assert_true(len <= FILE_MAX);
    memset(ret, 0, sizeof *ret);
    memcpy(ret->bytes, bytes, len);
    ret->len = len;
    free(bytes);
}

static inline void medium_touch(uint64_t at, uint64_t len)
{
    for (uint64_t sector = at / SECTOR; sector * SECTOR < at + len; sector++)
        medium.touched[sector] = true;
}

static inline void medium_apply(const struct event *event, bool is_barrier)
{
    struct file *live = &medium.live;

    switch (event->kind) {
    case WRITE:
        assert_true(event->at + event->len <= FILE_MAX);
        memcpy(live->bytes + event->at, event->bytes, event->len);
        if (event->at + event->len > live->len)
            live->len = event->at + event->len;
        medium_touch(event->at, event->len);
        break;
    case ZERO:
        if (event->at >= live->len)
            break;
        assert_true(event->at + event->len <= FILE_MAX);
        memset(live->bytes + event->at, 0, event->len);
        medium_touch(event->at, event->len);
        break;
    case TRUNCATE:
        assert_true(event->at <= FILE_MAX);
        live->len = event->at;
        memset(live->bytes + live->len, 0, FILE_MAX - live->len);
        break;
    case SYNC:
        if (!is_barrier)
            return;
        medium.durable = *live;
        memset(medium.touched, 0, sizeof medium.touched);
        break;
    }
}

/*
 * What a power cut leaves old or new: sectors, and SHORTER for a smaller length. A greater length
 * goes with the last sector that it has: both are durable or neither, as on hosts of class D.
 */
struct changes {
    size_t count, places[SECTORS + 1];
};

enum { SHORTER = SECTORS };

static inline size_t medium_end(void)
{
    return (size_t)(medium.live.len - 1) / SECTOR;
}

static inline bool medium_is_longer(void)
{
    return medium.live.len > medium.durable.len;
}

static inline struct changes medium_changes(void)
{
    struct changes changes = {0};

    for (size_t sector = 0; sector < SECTORS; sector++) {
        if (medium.touched[sector] || (medium_is_longer() && sector == medium_end()))
            changes.places[changes.count++] = sector;
    }
    if (medium.live.len < medium.durable.len)
        changes.places[changes.count++] = SHORTER;
    return changes;
}

/* How a power cut chooses among the changes, by a number. */
enum choice { BITS, FIRST_NEW, ONE_NEW, ONE_OLD, ANY };

static inline bool choose(enum choice choice, size_t number, size_t i, uint64_t *seed)
{
    switch (choice) {
    case BITS:
        return number >> i & 1;
    case FIRST_NEW:
        return i < number;
    case ONE_NEW:
        return i == number;
    case ONE_OLD:
        return i != number;
    default:
        return sample_random(seed) & 1;
    }
}

static inline bool medium_judge(judge_cut *judge, const struct file *state, const struct cut *cut)
{
    struct file *seen = &medium.seen;

    if (state->len == seen->len && memcmp(state->bytes, seen->bytes, state->len) == 0)
        return true;
    *seen = *state;
    return judge(state, cut);
}

/* Build the state of one choice, and judge it. */
static inline bool judge_choice(judge_cut *judge, const struct cut *cut,
                                const struct changes *changes, enum choice choice, size_t number,
                                uint64_t *seed)
{
    static struct file state;

    state = medium.durable;
    for (size_t i = 0; i < changes->count; i++) {
        const size_t place = changes->places[i], at = place * SECTOR;
        if (!choose(choice, number, i, seed))
            continue;
        if (place != SHORTER)
            memcpy(state.bytes + at, medium.live.bytes + at, SECTOR);
        if (place == SHORTER || (medium_is_longer() && place == medium_end()))
            state.len = medium.live.len;
    }
    return medium_judge(judge, &state, cut);
}

/* Of class A: the new length alone is durable. */
static inline bool judge_length(judge_cut *judge, struct cut cut)
{
    static struct file state;

    state = medium.durable;
    state.len = medium.live.len;
    cut.is_class_a = true;
    return medium_judge(judge, &state, &cut);
}

/* All states after one event, until one has a fault: all combinations of few changes. */
static inline bool judge_event(judge_cut *judge, const struct cut *cut, uint64_t *seed)
{
    enum { FEW = 6, RANDOM = 6 };
    const struct changes changes = medium_changes();
    bool is_good = true;

    if (changes.count <= FEW) {
        for (size_t i = 0; i < (size_t)1 << changes.count && is_good; i++)
            is_good = judge_choice(judge, cut, &changes, BITS, i, seed);
        return is_good;
    }
    for (enum choice choice = FIRST_NEW; choice <= ONE_OLD; choice++) {
        for (size_t i = 0; i <= changes.count && is_good; i++)
            is_good = judge_choice(judge, cut, &changes, choice, i, seed);
    }
    for (size_t i = 0; i < RANDOM && is_good; i++)
        is_good = judge_choice(judge, cut, &changes, ANY, i, seed);
    return is_good;
}

/*
 * Judge every state of the record, until one has a fault. Returns whether none has.
 *
 *   base         the file before
 *   ignored      a sync that the model leaves out, from 1; 0 for none
 *   has_class_a  a growth may end with its length alone
 */
static inline bool judge_record(judge_cut *judge, const struct file *base, unsigned ignored,
                                bool has_class_a)
{
    uint64_t seed = 88172645463325252u;
    unsigned syncs = 0;
    bool is_good = true;

    medium.durable = medium.live = *base;
    memset(medium.touched, 0, sizeof medium.touched);
    medium.seen.len = 0;
    for (size_t i = 0; i < record.count && is_good; i++) {
        const struct event *event = &record.events[i];
        const struct cut cut = {.events = i + 1, .is_done = i + 1 >= record.done};
        medium_apply(event, event->kind != SYNC || ++syncs != ignored);
        /* Between a sync and the next write nothing new can be lost. */
        if (event->kind == SYNC && i + 1 != record.done)
            continue;
        is_good = judge_event(judge, &cut, &seed);
        if (is_good && has_class_a && medium_is_longer())
            is_good = judge_length(judge, cut);
    }
    return is_good;
}
