/* The ranks of a comm as a team that writes a store. */
#ifndef ROOFTALLY_CLI_TEAM_H
#define ROOFTALLY_CLI_TEAM_H

#include "rooftally/comm/comm.h"
#include "rooftally/source/team.h"

/* Whether this rank or another is wished to stop, or another has failed in what the team
 * does: the first to know tells the others, so that all leave at their next agreement.
 * void * for sources: a struct comm. */
bool team_should_stop(void *comm);

/* The comm is borrowed by the team. */
struct team team_of(struct comm *comm);

#endif
