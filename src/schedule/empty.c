typedef int schedule_is_empty;
