/* SPDX-License-Identifier: MIT */
/*
 * A host with less ability than the real one, or with one step of the library left out, to prove
 * that a test notices. The linker leads the library's calls through here (--wrap). The library
 * itself is the usual build.
 */
#pragma once

enum host_behaviour {
    HOST_LINKLESS = 1,        /* neither files without a name nor hard links, like vfat */
    HOST_NO_FILE_SYNC = 2,    /* a file's fsync does nothing */
    HOST_LATE_FILE_SYNC = 4,  /* a file's fsync comes after its link */
    HOST_NO_FOLDER_SYNC = 8,  /* no fsync of a folder has an effect */
    HOST_NO_PARENT_SYNC = 16, /* the fsync of the folder above the store does nothing */
    HOST_LATE_UNLINK = 32,    /* a name is removed only after the folder's fsync */
    HOST_NO_UNLINK = 64,      /* no name is removed */
    HOST_IN_PLACE = 128,      /* a nameless file has its name from the start */
    HOST_NO_FIRST_SYNC =
        256, /* the first fsync of the folder does nothing; the second; the third */
    HOST_NO_SECOND_SYNC = 512,
    HOST_NO_THIRD_SYNC = 1024,
};

/*
 * Behave like this from now on, in this process and its later children.
 *
 *   behaviour  of enum host_behaviour; 0 is the real host
 *   file       the name that HOST_IN_PLACE gives
 */
void host_behave(unsigned behaviour, const char *file);

/* The behaviour of a mutation on the command line; 0 for an unknown name. */
unsigned host_mutation(const char *name);
