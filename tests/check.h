/* cmocka with what it needs before it, and checks that name the error they met. */
#ifndef ROOFTALLY_TESTS_CHECK_H
#define ROOFTALLY_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rooftally/base/error.h"

/* n of what is repeated, or as much less as ROOFTALLY_TEST_SHARE says, for a test that runs
 * under something slow: what depends on how many there are may then fail. */
static inline int few(int n)
{
    const char *share = getenv("ROOFTALLY_TEST_SHARE");
    int parts = share ? atoi(share) : 1;
    return parts > 1 ? (n + parts - 1) / parts : n;
}

/* expects 0, or shows err->text */
#define assert_fine(call, err)                                                         \
    do {                                                                               \
        if ((call) < 0)                                                                \
            fail_msg("%s: %s", #call, (err)->text);                                    \
    } while (0)

/* expects -1 with this code and this text somewhere in the error */
#define assert_refused(call, err, wanted, part)                                        \
    do {                                                                               \
        *(err) = (struct error){ ERROR_NONE, "" };                                     \
        assert_int_equal((call), -1);                                                  \
        assert_int_equal((err)->code, (wanted));                                       \
        if (!strstr((err)->text, (part)))                                              \
            fail_msg("'%s' is not in '%s'", (part), (err)->text);                      \
    } while (0)

#endif
