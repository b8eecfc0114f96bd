/* SPDX-License-Identifier: MIT */
#include "store/fingerprint.h"

#include "base/clock.h"

#define NANOSECONDS INT64_C(1000000000)

/*
 * Ticks of file systems that keep seconds, and of the slowest kernel clock (HZ=100). On a busy host
 * that clock may be late by one tick.
 */
#define TICK_OF_SECONDS (2 * NANOSECONDS)
#define TICK_OF_CLOCK   (2 * NANOSECONDS / 100)

/* Can a change after the attributes were read get the same stamp? */
static bool is_within_tick(struct timespec stamp, struct timespec seen)
{
    const int64_t tick = stamp.tv_nsec == 0 ? TICK_OF_SECONDS : TICK_OF_CLOCK;
    const int64_t seconds = (int64_t)seen.tv_sec - (int64_t)stamp.tv_sec;

    /* The nanoseconds of years would not fit 64 bits. */
    if (seconds > 3 || seconds < -3)
        return false;
    const int64_t age = seconds * NANOSECONDS + (seen.tv_nsec - stamp.tv_nsec);
    /* A server's clock may be slightly ahead of ours. */
    return age < tick && age > -tick;
}

struct vhd_fingerprint vhd_fingerprint_seen(const struct stat *attributes, struct timespec seen)
{
    return (struct vhd_fingerprint){
        .dev = attributes->st_dev,
        .ino = attributes->st_ino,
        .size = attributes->st_size,
        .mtime = attributes->st_mtim,
        .ctime = attributes->st_ctim,
        .is_reliable = !is_within_tick(attributes->st_mtim, seen) &&
                       !is_within_tick(attributes->st_ctim, seen),
    };
}

struct vhd_fingerprint vhd_fingerprint_of(const struct stat *attributes)
{
    return vhd_fingerprint_seen(attributes, clock_real());
}

/* One step of a hash: the finalizer of splitmix64 over the sum. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash += value + UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94D049BB133111EB);
    return hash ^ hash >> 31;
}

void vhd_fingerprint_add_parent(struct vhd_fingerprint *fingerprint,
                                const struct vhd_fingerprint *parent)
{
    const uint64_t values[] = {
        (uint64_t)parent->dev,           (uint64_t)parent->ino,
        (uint64_t)parent->size,          (uint64_t)parent->mtime.tv_sec,
        (uint64_t)parent->mtime.tv_nsec, (uint64_t)parent->ctime.tv_sec,
        (uint64_t)parent->ctime.tv_nsec, parent->parents,
    };
    uint64_t hash = 0;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        hash = mix(hash, values[i]);
    fingerprint->parents = hash ? hash : 1; /* 0 means no parent */
    fingerprint->is_reliable = fingerprint->is_reliable && parent->is_reliable;
}

bool vhd_fingerprint_is_file(const struct vhd_fingerprint *fingerprint,
                             const struct stat *attributes)
{
    return fingerprint->dev == attributes->st_dev && fingerprint->ino == attributes->st_ino;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool vhd_fingerprint_is_same(const struct vhd_fingerprint *a, const struct vhd_fingerprint *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->parents == b->parents &&
           is_same_time(a->mtime, b->mtime) && is_same_time(a->ctime, b->ctime);
}

void vhd_fingerprint_inherit(struct vhd_fingerprint *fingerprint,
                             const struct vhd_fingerprint *earlier)
{
    fingerprint->is_reliable |=
        earlier->is_reliable && vhd_fingerprint_is_same(fingerprint, earlier);
}
