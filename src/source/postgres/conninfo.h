/* Connection strings, looked at before libpq is given them, whose messages quote them. */
#ifndef ROOFTALLY_SOURCE_CONNINFO_H
#define ROOFTALLY_SOURCE_CONNINFO_H

#include "rooftally/base/error.h"

/*
 * Whether libpq can read it as it was meant.
 *
 * Returns  0, or -1 with ERROR_USAGE: not a connection string, an unknown keyword, an
 *          address whose password holds an @ or a / as it is, pairs with ';' between them, a
 *          port that is no number, an address without its scheme: libpq would take what
 *          follows for a host, a database or the like, and name it. No message repeats it.
 */
int conninfo_check(const char *conninfo, struct error *err);

#endif
