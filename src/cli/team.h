/* The ranks of a comm as a team that writes a store. */
#ifndef ROOFTALLY_CLI_TEAM_H
#define ROOFTALLY_CLI_TEAM_H

#include "rooftally/comm/comm.h"
#include "rooftally/source/team.h"

/* The comm is borrowed by the team. */
struct team team_of(struct comm *comm);

#endif
