typedef int comm_is_empty;
