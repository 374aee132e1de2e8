typedef int statistics_is_empty;
