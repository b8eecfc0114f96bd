/* SPDX-License-Identifier: MIT */
/*
 * Outcomes. This table alone joins a name, an HRESULT, an errno and a sentence. A verdict is an
 * outcome with a sentence for the case at hand.
 */
#pragma once

#include <stdint.h>

/*
 * The outcomes: symbol, name, HRESULT, errno, sentence.
 *
 * Sources: Virtual Server 2005 reference, "HRESULT Codes Specific to the Virtual Server"
 * (0xA004....); Win32 error codes as HRESULT_FROM_WIN32 (0x8007....); common HRESULT values
 * (0x8000...., 0x80020009). E_INVALIDARG is the Win32 value. Some of Microsoft's pages print
 * 0x80000003, its value in 16-bit OLE.
 */
#define VHD_OUTCOMES(OUTCOME)                                                                      \
    OUTCOME(VHD_OK, "S_OK", 0x00000000, 0, "done")                                                 \
    OUTCOME(VHD_PENDING, "E_PENDING", 0x8000000A, 0, "the task has not ended yet")                 \
    OUTCOME(VHD_NULL_POINTER, "E_POINTER", 0x80004003, EFAULT, "a required pointer is NULL")       \
    OUTCOME(VHD_INVALID_ARGUMENT, "E_INVALIDARG", 0x80070057, EINVAL, "the request is not valid")  \
    OUTCOME(VHD_BAD_PATHNAME, "E_BAD_PATHNAME", 0x800700A1, EINVAL,                                \
            "the path is empty or relative; write a path that begins with /")                      \
    OUTCOME(VHD_INVALID_NAME, "E_INVALID_NAME", 0x8007007B, EINVAL,                                \
            "the name is not allowed for a disk")                                                  \
    OUTCOME(VHD_BUFFER_OVERFLOW, "E_BUFFER_OVERFLOW", 0x8007006F, ENAMETOOLONG,                    \
            "the path is too long")                                                                \
    OUTCOME(VHD_FILE_NOT_FOUND, "E_FILE_NOT_FOUND", 0x80070002, ENOENT, "there is no such disk")   \
    OUTCOME(VHD_PATH_NOT_FOUND, "E_PATH_NOT_FOUND", 0x80070003, ENOENT,                            \
            "the folder cannot be made or reached")                                                \
    OUTCOME(VHD_SIZE_TOO_SMALL, "VM_E_IMAGE_SIZE_TOO_SMALL", 0xA0040684, ERANGE,                   \
            "the size is too small")                                                               \
    OUTCOME(VHD_SIZE_TOO_LARGE, "VM_E_IMAGE_SIZE_TOO_LARGE", 0xA0040683, ERANGE,                   \
            "the size is too large")                                                               \
    OUTCOME(VHD_FILE_TOO_LARGE, "VM_E_FILE_TOO_LARGE_FOR_VOLUME", 0xA0040679, EFBIG,               \
            "the file would be too long for its file system")                                      \
    OUTCOME(VHD_DISK_FULL, "E_DISK_FULL", 0x80070070, ENOSPC, "there is not enough free space")    \
    OUTCOME(VHD_ALREADY_EXISTS, "E_ALREADY_EXISTS", 0x800700B7, EEXIST, "the disk exists already") \
    OUTCOME(VHD_IN_USE, "E_SHARING_VIOLATION", 0x80070020, EBUSY, "the disk is in use")            \
    OUTCOME(VHD_NOT_A_DISK, "VM_E_INVALID_HD_FILE", 0xA0040682, EUCLEAN,                           \
            "the image is not a VHD, or is damaged")                                               \
    OUTCOME(VHD_WRONG_TYPE, "VM_E_WRONG_HD_IMAGE_TYPE", 0xA004067B, EOPNOTSUPP,                    \
            "the verb does not fit this type of disk")                                             \
    OUTCOME(VHD_PARENT_LOST, "VM_E_PARENT_PATH_NOT_FOUND", 0xA0040677, EUCLEAN,                    \
            "the parent of a differencing disk is missing")                                        \
    OUTCOME(VHD_PARENT_NOT_FOUND, "VM_E_PARENT_PATH_NOT_FOUND", 0xA0040677, ENOENT,                \
            "there is no disk of the parent's name")                                               \
    OUTCOME(VHD_PARENT_IDENTITY, "VM_E_PARENT_CHILD_ID_MISMATCH", 0xA0040685, EUCLEAN,             \
            "the parent of a differencing disk is another disk")                                   \
    OUTCOME(VHD_PARENT_MODIFIED, "VM_E_PARENT_MODIFIED", 0xA0040687, EUCLEAN,                      \
            "the parent of a differencing disk has been changed")                                  \
    OUTCOME(VHD_ENDED, "E_FAIL", 0x80004005, ESRCH, "the task has ended already")                  \
    OUTCOME(VHD_READ_ONLY, "VM_E_FILE_READ_ONLY", 0xA004067A, EROFS,                               \
            "the file system is read-only")                                                        \
    OUTCOME(VHD_ACCESS_DENIED, "E_ACCESSDENIED", 0x80070005, EACCES, "permission denied")          \
    OUTCOME(VHD_CANCELLED, "E_ABORT", 0x80004004, ECANCELED, "the task was cancelled")             \
    OUTCOME(VHD_SHUTTING_DOWN, "VM_E_APP_SHUTTING_DOWN", 0xA0040209, ESHUTDOWN,                    \
            "the service is shutting down")                                                        \
    OUTCOME(VHD_OUT_OF_MEMORY, "E_OUTOFMEMORY", 0x8007000E, ENOMEM, "out of memory")               \
    OUTCOME(VHD_QUOTA_EXCEEDED, "E_DISK_FULL", 0x80070070, EDQUOT,                                 \
            "the quota of the host's file system is used up")                                      \
    OUTCOME(VHD_NO_DESCRIPTORS, "E_OUTOFMEMORY", 0x8007000E, EMFILE,                               \
            "vhdfs has no more file descriptors or threads")                                       \
    OUTCOME(VHD_CHAIN_ENDLESS, "VM_E_INVALID_HD_FILE", 0xA0040682, ELOOP,                          \
            "the chain of parents is too long or has no end")                                      \
    OUTCOME(VHD_ACCESS_FAILED, "VM_E_HD_IMAGE_ACCESS", 0xA0040681, EIO,                            \
            "the image may lack writes; close it everywhere and open it again")                    \
    OUTCOME(VHD_NOT_PERMITTED, "E_NOT_SUPPORTED", 0x80070032, EPERM,                               \
            "the tree does not allow this")                                                        \
    OUTCOME(VHD_NOT_EMPTY, "E_DIR_NOT_EMPTY", 0x80070091, ENOTEMPTY, "the folder is not empty")    \
    OUTCOME(VHD_NO_FORMATTER, "E_NOTIMPL", 0x80004001, EOPNOTSUPP,                                 \
            "mkfs.fat is missing; install the package dosfstools")                                 \
    OUTCOME(VHD_UNEXPECTED, "DISP_E_EXCEPTION", 0x80020009, EIO,                                   \
            "the host failed in an unexpected way")

enum vhd_result {
#define OUTCOME(symbol, name, hresult, err, sentence) symbol,
    VHD_OUTCOMES(OUTCOME)
#undef OUTCOME
        VHD_OUTCOME_COUNT
};

/* One row of the table. */
struct vhd_outcome {
    const char *name;     /* in Microsoft's spelling: "E_DISK_FULL" */
    uint32_t hresult;     /* number of that name */
    int err;              /* positive errno that a system call returns; 0 if nothing failed */
    const char *err_name; /* symbol of that errno, "ENOSPC"; "-" if nothing failed */
    const char *sentence; /* the meaning, when nothing more is known; no full stop */
};

/* The row of an outcome; always valid. */
const struct vhd_outcome *vhd_outcome(enum vhd_result result);

/*
 * The outcome that fits an errno of the host.
 *
 *   err  positive or negative errno, not 0
 *
 * An errno without a row of its own (EIO, EINVAL, ...) is VHD_UNEXPECTED.
 */
enum vhd_result vhd_result_of_errno(int err);

/* Bytes of a sentence: enough for a path of 260 UTF-16 units and a file name of 255 bytes. */
#define VHD_SENTENCE_SIZE 1536

/* An outcome and its sentence: what happened, to what, and what to do. */
struct vhd_verdict {
    enum vhd_result result;
    char sentence[VHD_SENTENCE_SIZE];
};

/*
 * Fill in a verdict.
 *
 *   ret     NULL if the caller needs no sentence
 *   format  as printf; NULL takes the table's sentence. The sentence is always one line: a long one
 *           is cut at a whole character, control bytes and bytes that are not UTF-8 become '?'
 *
 * Returns result, so that a caller can refuse in one line.
 */
enum vhd_result vhd_verdict_set(struct vhd_verdict *ret, enum vhd_result result, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

/*
 * Fill in the verdict on a failed call of the host: its outcome, and "doing: strerror". On a full
 * host the sentence says to free some space.
 *
 *   err    positive or negative errno, not 0
 *   doing  as printf: the failed action and its object, "cannot open \"x\""
 *
 * Returns the outcome.
 */
enum vhd_result vhd_verdict_errno(struct vhd_verdict *ret, int err, const char *doing, ...)
    __attribute__((format(printf, 3, 4)));
