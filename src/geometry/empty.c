typedef int geometry_is_empty;
