/*
 * Preloaded, makes opening a GeoPackage take a minute, signals or not, as GDAL takes for a large GeoJSON.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

int open64(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...);
    *(void **)&next = dlsym(RTLD_NEXT, "open64");
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    struct timespec left = { .tv_sec = strstr(path, ".gpkg") ? 60 : 0 };
    while (nanosleep(&left, &left))
        ;
    return next(path, flags, mode);
}
