/*
 * The service: it takes work, gives it an id and a worker thread, and stops when told. It is the
 * part of Virtual Server that a VM_E_APP_SHUTTING_DOWN speaks of.
 *
 * Lock order: the service's lock, then a task's.
 */
#pragma once

#include "task/task.h"

struct vhd_service;

/*
 * Start a service.
 *
 *   workers  threads that do quick work, 1 to 64; they block all signals
 *
 * Returns 0, or the negative errno of pthread_create(3), or -ENOMEM.
 */
int vhd_service_new(unsigned workers, struct vhd_service **ret);

/*
 * Take no new work, and cancel what is queued or at work. The call does not wait for it to end.
 * May be called more than once.
 */
void vhd_service_stop(struct vhd_service *service);

/*
 * Stop a service, wait until all its work has ended, and release it; NULL is allowed. Its tasks
 * live on for those who hold them. Not to be called by a worker.
 */
void vhd_service_free(struct vhd_service *service);

/* True once vhd_service_stop() has been called. */
bool vhd_service_is_stopping(struct vhd_service *service);

/*
 * Have changed() called, without a lock held, after every change of state, progress or
 * cancelability of the service's tasks. To be set before the first work is handed in.
 */
void vhd_service_listen(struct vhd_service *service, void (*changed)(void *arg), void *arg);

/*
 * Hand in work.
 *
 *   work, arg    what to do; arg is not NULL, and taken over also when the call fails
 *   description  one line, copied
 *   ret_task     receives a reference, to be dropped by the caller; may be NULL
 *
 * Returns VHD_OK, VHD_SHUTTING_DOWN or VHD_OUT_OF_MEMORY.
 */
enum vhd_result vhd_service_submit(struct vhd_service *service, const struct vhd_work *work,
                                   void *arg, const char *description, struct vhd_task **ret_task,
                                   struct vhd_verdict *ret);

/*
 * Make the record of a request that was refused: a task with an id of its own that has failed.
 *
 * Returns NULL when memory is short.
 */
struct vhd_task *vhd_service_record_refusal(struct vhd_service *service, const char *operation,
                                            const char *description,
                                            const struct vhd_verdict *verdict);
