/* Connection strings, looked at before libpq is given them, whose messages quote them. */
#ifndef ROOFTALLY_SOURCE_CONNINFO_H
#define ROOFTALLY_SOURCE_CONNINFO_H

#include "rooftally/base/error.h"

/*
 * Whether libpq can read it as it was meant.
 *
 * Returns  0, or -1 with ERROR_USAGE: not a connection string, an unknown keyword, or an
 *          address whose password holds an @ or a / as it is: libpq would take what
 *          follows for a host or a database, and name it
 */
int conninfo_check(const char *conninfo, struct error *err);

#endif
