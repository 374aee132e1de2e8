/* Time as telemetry and progress need it. */
#ifndef ROOFTALLY_BASE_CLOCK_H
#define ROOFTALLY_BASE_CLOCK_H

double clock_wall_s(void);  /* monotonic seconds, origin arbitrary */
double clock_cpu_s(void);   /* user and system seconds of this process */
double clock_epoch_s(void); /* seconds since 1970-01-01 UTC */
void clock_sleep_s(double seconds);

/* "2026-11-22T10:38:40Z" and the end of string into text. */
void clock_utc(char text[21]);

#endif
