/* What the batch system allows a job, as far as it tells. */
#ifndef ROOFTALLY_CLI_ALLOCATION_H
#define ROOFTALLY_CLI_ALLOCATION_H

/*
 * Seconds until Slurm ends the job that this process is part of: from SLURM_JOB_END_TIME,
 * which Slurm sets from 23.02 on, else from `squeue`, for which it waits 3 s at most.
 * < 0: no job, no limit, or no answer.
 */
double allocation_left_s(void);

#endif
