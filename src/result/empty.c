typedef int result_is_empty;
