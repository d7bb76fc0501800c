/* SPDX-License-Identifier: Apache-2.0 */
#include "begin.h"

static int* volatile nowhere = NULL;

__attribute__((constructor)) static void begin(void) {
  show_that_it_ran();
  *nowhere = 1;
}
