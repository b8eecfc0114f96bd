/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <assert.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void log_init(struct log *log, const struct content *base, const struct content *disk)
{
    *log = (struct log){
        .base = content_copy(base),
        .live = content_copy(base),
        .disk = content_copy(disk),
    };
}

void log_free(struct log *log)
{
    for (uint32_t i = 0; i < log->count; i++)
        content_free(&log->records[i].after);
    free(log->records);
    content_free(&log->base);
    content_free(&log->live);
    content_free(&log->disk);
    *log = (struct log){.count = 0};
}

/* Add a record, and apply it to the live file. */
static uint32_t add(struct log *log, struct record record)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 64;
        log->records = reallocarray(log->records, log->capacity, sizeof *log->records);
        if (!log->records)
            err(EXIT_FAILURE, "log");
    }
    if (record.length != log->live.count)
        content_resize(&log->live, record.length);
    if (record.kind == RECORD_WRITE || record.kind == RECORD_REVEAL)
        memcpy(log->live.values + record.first, record.after.values,
               record.after.count * sizeof *record.after.values);
    log->records[log->count] = record;
    return log->count++;
}

/* Link the begin and the end of a barrier or an operation. */
static void tie(struct log *log, uint32_t begin, uint32_t end)
{
    log->records[begin].pair = end;
    log->records[end].pair = begin;
}

void log_fork(const struct log *log, uint32_t position, struct log *ret)
{
    log_init(ret, &log->base, &log->disk);
    for (uint32_t i = 0; i < position; i++) {
        struct record record = log->records[i];
        record.after = content_copy(&record.after);
        if (record.pair != NOWHERE && record.pair >= position)
            record.pair = NOWHERE;
        add(ret, record);
    }
    add(ret, (struct record){.kind = RECORD_DEATH, .pair = NOWHERE, .length = ret->live.count});
}

/* The sectors from first on in the live file, zeros behind its end. */
static void live_bytes(const struct log *log, uint32_t first, uint32_t count, uint8_t *bytes)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sector = first + i;
        uint32_t value = sector < log->live.count ? log->live.values[sector] : VALUE_ZERO;
        memcpy(bytes + (size_t)i * SECTOR, value_bytes(value), SECTOR);
    }
}

void log_add_write(struct log *log, const void *bytes, size_t len, uint64_t off, bool is_direct)
{
    uint32_t first = (uint32_t)(off / SECTOR), end = (uint32_t)((off + len + SECTOR - 1) / SECTOR);
    uint8_t *sectors = malloc((size_t)(end - first) * SECTOR + 1);

    if (!sectors)
        err(EXIT_FAILURE, "log");
    live_bytes(log, first, end - first, sectors);
    memcpy(sectors + off % SECTOR, bytes, len);
    add(log, (struct record){
                 .kind = RECORD_WRITE,
                 .is_direct = is_direct,
                 .pair = NOWHERE,
                 .first = first,
                 .after = content_of_bytes(sectors, end - first),
                 .length = end > log->live.count ? end : log->live.count,
             });
    free(sectors);
}

void log_add_zeros(struct log *log, uint64_t len, uint64_t off)
{
    uint64_t length = (uint64_t)log->live.count * SECTOR;
    uint64_t end = off + len < length ? off + len : length;

    if (off >= end)
        return;
    uint8_t *zeros = calloc(1, (size_t)(end - off));
    if (!zeros)
        err(EXIT_FAILURE, "log");
    log_add_write(log, zeros, (size_t)(end - off), off, false);
    free(zeros);
}

void log_add_length(struct log *log, uint64_t length)
{
    assert(length % SECTOR == 0);
    add(log, (struct record){
                 .kind = RECORD_LENGTH,
                 .pair = NOWHERE,
                 .length = (uint32_t)(length / SECTOR),
             });
}

void log_add_reveal(struct log *log, struct content file)
{
    add(log, (struct record){
                 .kind = RECORD_REVEAL,
                 .pair = NOWHERE,
                 .after = file,
                 .length = file.count,
             });
}

static uint32_t add_plain(struct log *log, enum record_kind kind, int result)
{
    return add(log, (struct record){
                        .kind = kind,
                        .result = result,
                        .pair = NOWHERE,
                        .length = log->live.count,
                    });
}

uint32_t log_add_sync_begin(struct log *log)
{
    return add_plain(log, RECORD_SYNC_BEGIN, 0);
}

void log_add_sync_end(struct log *log, uint32_t begin, int result)
{
    tie(log, begin, add_plain(log, RECORD_SYNC_END, result));
}

uint32_t log_add_op_begin(struct log *log, enum op op, uint32_t first, struct content after)
{
    return add(log, (struct record){
                        .kind = RECORD_OP_BEGIN,
                        .op = op,
                        .pair = NOWHERE,
                        .first = first,
                        .after = after,
                        .length = log->live.count,
                    });
}

void log_add_op_end(struct log *log, uint32_t begin, int result)
{
    uint32_t end = add_plain(log, RECORD_OP_END, result);

    log->records[end].op = log->records[begin].op;
    tie(log, begin, end);
}

bool record_matters(const struct record *record)
{
    return record->kind != RECORD_SYNC_BEGIN && record->kind != RECORD_OP_BEGIN;
}

static void print_record(const struct record *record)
{
    static const char *const kinds[] = {
        [RECORD_WRITE] = "write",       [RECORD_LENGTH] = "length",
        [RECORD_SYNC_BEGIN] = "sync (", [RECORD_SYNC_END] = ") sync",
        [RECORD_OP_BEGIN] = "(",        [RECORD_OP_END] = ")",
        [RECORD_DEATH] = "kill -9",     [RECORD_REVEAL] = "cache dropped:",
    };
    static const char *const ops[OP_COUNT] = {"user writes", "user discards", "user flushes",
                                              "observed", "user relinks"};

    printf("%s", kinds[record->kind]);
    if (record->kind == RECORD_OP_BEGIN || record->kind == RECORD_OP_END)
        printf(" %s", ops[record->op]);
    if (record->after.count > 0)
        printf(" sectors %u+%u%s:", record->first, record->after.count,
               record->is_direct ? ", direct" : "");
    for (uint32_t i = 0; i < record->after.count && i < 8; i++)
        printf(" v%u", record->after.values[i]);
    if (record->pair != NOWHERE)
        printf(" [%u]", record->pair);
    if (record->result != 0)
        printf(" failed: %s", strerrorname_np(-record->result));
    printf("  length %u\n", record->length);
}

void log_print(const struct log *log)
{
    printf("  before: length %u\n", log->base.count);
    for (uint32_t i = 0; i < log->count; i++) {
        printf("  %3u ", i);
        print_record(&log->records[i]);
    }
}
