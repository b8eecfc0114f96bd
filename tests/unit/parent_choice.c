/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a child would get the wrong one of several parents, or one outside its store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "disks.h"
#include "format/locator.h"
#include "parent.h"

/* A child that each way calls its parent by another name: w2ru, field, w2ku and macx. */
static struct sample child_of_many(void)
{
    struct sample sample = child("C:\\field.vhd");

    add_locator(&sample, 7, VHD_PLATFORM_W2RU, ".\\w2ru.vhd");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_W2KU, "C:\\w2ku.vhd");
    return sample;
}

/* A parent in the store comes before others, and among equals the order is fixed. */
static void prefers_a_parent_in_the_store(void **state)
{
    static const char *const order[] = {"w2ru", "field", "w2ku", "macx"};
    struct vhd_store *store = open_store(*state);
    char file[16];

    for (unsigned there = 0; there < 16; there++) {
        const char *expected = NULL;
        for (unsigned i = 0; i < 4; i++) {
            snprintf(file, sizeof file, "%s.%s", order[i], i % 2 ? "VHD" : "vhd");
            unlink(scratch_path(*state, file));
            if (there >> i & 1) {
                put(*state, file, sample_dynamic(2, 1));
                expected = expected ? expected : order[i];
            }
        }
        names(store, child_of_many(), expected ? expected : "w2ru");
    }
    vhd_store_unref(store);
}

/* If none is in the store, the first that names a file counts. */
static void falls_back_to_the_first_that_is_given(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("");

    names(store, sample, "");
    sample = child("");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    names(store, sample, "macx");
    sample = child("");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_W2KU, "C:\\w2ku.vhd");
    names(store, sample, "w2ku");
    sample = child("field");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_W2KU, "C:\\w2ku.vhd");
    names(store, sample, "field");
    names(store, child_of_many(), "w2ru");
    /* A locator that names no file does not count. */
    sample = child("field");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, ".\\folder\\");
    names(store, sample, "field");
    sample = child("field");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, ".\\.vhd");
    names(store, sample, "field");
    vhd_store_unref(store);
}

/* A file outside, or one that is no disk, is not in the store. */
static void only_disks_of_the_store_are_preferred(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);

    put(*state, "w2ru.vhd", sample_dynamic(2, 1));
    assert_int_equal(mkfifo(scratch_path(folder, "field.vhd"), 0666), 0);
    assert_int_equal(symlink("../w2ru.vhd", scratch_path(folder, "w2ru.vhd")), 0);
    assert_int_equal(mkdir(scratch_path(folder, "w2ku.vhd"), 0777), 0);
    names(store, child_of_many(), "w2ru");
    put(folder, "macx.vhd", sample_dynamic(2, 1));
    names(store, child_of_many(), "macx");
    vhd_store_unref(store);
}

/* A snapshot of Hyper-V, or a raw file of blktap. A disk of the store comes before those. */
static void files_that_are_no_disks_may_be_parents(void **state)
{
    struct vhd_store *store = open_store(*state);

    leads_to(store, child("base.avhd"), "base.avhd", "");
    put(*state, "base.avhd", sample_dynamic(2, 1));
    leads_to(store, child("C:\\Disks\\base.avhd"), "base.avhd", "base.avhd");
    put(*state, "base.avhd.VHD", sample_dynamic(2, 1));
    leads_to(store, child("base.avhd"), "base.avhd", "base.avhd.VHD");
    put(*state, "plain", sample_dynamic(2, 1));
    leads_to(store, child("plain"), "plain", "plain");
    leads_to(store, child("plain.vhd"), "plain", "");
    put(*state, "plain.vhd", sample_dynamic(2, 1));
    leads_to(store, child("plain"), "plain", "plain.vhd");
    leads_to(store, child("plain.VHD"), "plain", "plain.vhd");
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.img"), 0666), 0);
    leads_to(store, child("fifo.img"), "fifo.img", "");
    put(*state, ".hidden", sample_dynamic(2, 1));
    leads_to(store, child(".hidden"), ".hidden", "");
    vhd_store_unref(store);
}

/* Windows does not distinguish cases, so programs there record the name as it was typed. */
static void a_name_is_found_in_any_case(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "Base.VHD", sample_dynamic(9, 1));
    leads_to(store, child("bASE.vhd"), "Base", "Base.VHD");
    leads_to(store, child("base"), "Base", "Base.VHD");
    put(*state, "Snap.AVHD", sample_dynamic(2, 1));
    leads_to(store, child("snap.avhd"), "Snap.AVHD", "Snap.AVHD");
    put(*state, "\xC3\x84rger.vhd",
        sample_dynamic(2, 1)); /* A with dots; the name has a small one */
    struct sample umlaut = child("_rger.vhd");
    put16(umlaut.bytes + SAMPLE_HEADER + 64, 0xE4);
    sample_seal_header(umlaut.bytes + SAMPLE_HEADER);
    leads_to(store, umlaut, "\xC3\x84rger", "\xC3\x84rger.vhd");
    leads_to(store, child("bases.vhd"), "bases", "");
    leads_to(store, child("bas.vhd"), "bas", "");
    vhd_store_unref(store);
}

/* The exact name is the parent; else the one with the identity that the child has on record. */
static void of_several_cases_the_identity_decides(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "BASE.vhd", sample_dynamic(9, 1));
    put(*state, "BaSe.vhd", sample_dynamic(8, 1));
    leads_to(store, child("base.vhd"), "BASE", "BASE.vhd"); /* the first by name */
    put(*state, "basE.vhd", sample_dynamic(2, 1));
    leads_to(store, child("base.vhd"), "basE", "basE.vhd");
    put(*state, "base.vhd", sample_dynamic(7, 1));
    leads_to(store, child("base.vhd"), "base", "base.vhd");
    vhd_store_unref(store);
}

static void a_name_that_no_file_can_have_names_no_parent(void **state)
{
    struct vhd_store *store = open_store(*state);
    char text[512], name[256];

    /* The first bytes of it would be the name of a disk's file. */
    memset(text, 'n', sizeof text);
    memcpy(text + 251, ".vhd.vhd", 9);
    memset(name, 'n', 251);
    strcpy(name + 251, ".vhd");
    put(*state, name, sample_dynamic(2, 1));
    name[251] = 0;
    put(*state, "field.vhd", sample_dynamic(2, 1));
    struct sample sample = child("field.vhd");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, text);
    names(store, sample, "field");
    sample = child("field.vhd");
    text[255] = 0;
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, text);
    names(store, sample, name);
    vhd_store_unref(store);
}

/* Names that lead up or away are plain names, and no file is found under them. */
static void names_never_lead_out_of_the_store(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);

    put(*state, "outside.vhd", sample_dynamic(2, 1));
    put(folder, "inside.vhd", sample_dynamic(2, 1));
    struct sample sample = child("inside.vhd");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, "..\\outside.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_MACX, "file:///..%2Foutside.vhd");
    names(store, sample, "inside");
    sample = child("..");
    names(store, sample, "..");
    sample = child(VHD_OWN_PREFIX "draft-1.vhd");
    put(folder, VHD_OWN_PREFIX "draft-1.vhd", sample_dynamic(2, 1));
    add_locator(&sample, 1, VHD_PLATFORM_MACX, "inside.vhd");
    names(store, sample, "inside");
    vhd_store_unref(store);
}

static void a_child_may_name_itself(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "ring.vhd", sample_child(3, 3, "ring.vhd"));
    names(store, sample_child(3, 3, "ring.vhd"), "ring");
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(prefers_a_parent_in_the_store),
        SCRATCH_TEST(falls_back_to_the_first_that_is_given),
        SCRATCH_TEST(only_disks_of_the_store_are_preferred),
        SCRATCH_TEST(files_that_are_no_disks_may_be_parents),
        SCRATCH_TEST(a_name_is_found_in_any_case),
        SCRATCH_TEST(of_several_cases_the_identity_decides),
        SCRATCH_TEST(a_name_that_no_file_can_have_names_no_parent),
        SCRATCH_TEST(names_never_lead_out_of_the_store),
        SCRATCH_TEST(a_child_may_name_itself),
    };
    return cmocka_run_group_tests_name("parent_choice", tests, NULL, NULL);
}
