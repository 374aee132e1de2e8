typedef int h5_is_empty;
