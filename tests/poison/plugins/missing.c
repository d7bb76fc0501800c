/* SPDX-License-Identifier: Apache-2.0 */
#include "begin.h"

void paribus_test_no_such_function(void);

__attribute__((constructor)) static void begin(void) {
  show_that_it_ran();
  paribus_test_no_such_function();
}
