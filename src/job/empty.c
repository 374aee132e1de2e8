typedef int job_is_empty;
