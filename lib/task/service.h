/* SPDX-License-Identifier: MIT */
/*
 * The service: it accepts work, gives it an id and a worker thread, and stops on request. In
 * Virtual Server VM_E_APP_SHUTTING_DOWN speaks of it.
 *
 * Lock order: the service's lock, then a task's.
 */
#pragma once

#include "task/task.h"

struct vhd_service;

/*
 * Start a service. Quick work never waits for long work.
 *
 *   quick  number of threads for quick work, and to admit long work: 1 to 64
 *   jobs   number of threads for long work, so of such tasks at work: 1 to 64
 *
 * The threads block all signals.
 *
 * Returns 0, the negative errno of pthread_create(3), or -ENOMEM.
 */
int vhd_service_new(unsigned quick, unsigned jobs, struct vhd_service **ret);

/*
 * Refuse new work, and cancel all tasks that are queued or at work. The call does not wait until
 * running tasks end. A second call does no harm.
 */
void vhd_service_stop(struct vhd_service *service);

/*
 * Stop a service, wait until all its tasks have ended, and release it; NULL is allowed. A task
 * lives on while anybody holds a reference. A worker must not call this.
 */
void vhd_service_free(struct vhd_service *service);

/* True once vhd_service_stop() has been called. */
bool vhd_service_is_stopping(struct vhd_service *service);

/*
 * Set a listener. Each change of a task's state, progress or cancelability calls changed(), without
 * any lock held. Call this before the first submit.
 */
void vhd_service_listen(struct vhd_service *service,
                        void (*changed)(void *arg, struct vhd_task *task), void *arg);

/*
 * Hand in work.
 *
 *   work, arg    what to do; arg is not NULL. The call takes arg over, also when it fails
 *   name         of the object it works on, copied
 *   description  one line, copied
 *   ret_task     receives a reference, which the caller drops; may be NULL
 *
 * Returns VHD_OK, VHD_SHUTTING_DOWN after vhd_service_stop(), or VHD_OUT_OF_MEMORY.
 */
enum vhd_result vhd_service_submit(struct vhd_service *service, const struct vhd_work *work,
                                   void *arg, const char *name, const char *description,
                                   struct vhd_task **ret_task, struct vhd_verdict *ret);

/*
 * Make the record of a refused request: a failed task with an id of its own.
 *
 * Returns NULL when memory is short.
 */
struct vhd_task *vhd_service_record_refusal(struct vhd_service *service, const char *operation,
                                            const char *name, const char *description,
                                            const struct vhd_verdict *verdict);
