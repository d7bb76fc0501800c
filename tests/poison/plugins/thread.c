/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "begin.h"

static void* wait_for_ever(void* nothing) {
  while (1) pause();
  return nothing;
}

__attribute__((constructor)) static void begin(void) {
  pthread_t thread;
  show_that_it_ran();
  pthread_create(&thread, NULL, wait_for_ever, NULL);
}
