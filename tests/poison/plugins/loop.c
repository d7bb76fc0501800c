/* SPDX-License-Identifier: Apache-2.0 */
#include "begin.h"

__attribute__((constructor)) static void begin(void) {
  show_that_it_ran();
  while (1) pause();
}
