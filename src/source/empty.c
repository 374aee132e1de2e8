typedef int source_is_empty;
