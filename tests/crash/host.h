/*
 * A host that behaves as a test wants: poorer than the real one, or with a step of the library's
 * left out, to see whether a test would notice. The library's own calls are led through here by
 * the linker (--wrap); nothing of the library is built anew.
 */
#pragma once

enum host_behaviour {
    HOST_LINKLESS = 1,        /* no files without a name, no hard links: as vfat is */
    HOST_NO_FILE_SYNC = 2,    /* a file's fsync does nothing */
    HOST_LATE_FILE_SYNC = 4,  /* a file's fsync is made after its link */
    HOST_NO_FOLDER_SYNC = 8,  /* no folder's fsync does anything */
    HOST_NO_PARENT_SYNC = 16, /* the fsync of the folder above the store does nothing */
    HOST_LATE_UNLINK = 32,    /* a name is taken away after the folder's fsync */
    HOST_NO_UNLINK = 64,      /* no name is taken away */
    HOST_IN_PLACE = 128,      /* a file without a name has its name from the start */
};

/*
 * Behave so from now on, in this process and those that it forks.
 *
 *   behaviour  of enum host_behaviour; 0 is the real host
 *   file       the name that HOST_IN_PLACE gives
 */
void host_behave(unsigned behaviour, const char *file);

/* The mutations that a test's command line can name; returns 0 for a name that is none. */
unsigned host_mutation(const char *name);
