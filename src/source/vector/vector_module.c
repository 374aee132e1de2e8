#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/source/source.h"

#include "vector.h"

/* Looked for where the program was built or installed: its run path says so. */
static const char file[] = "rooftally-vector.so";

const struct vector_module *vector_module(struct error *err)
{
    static const struct vector_module *module;
    if (module)
        return module;
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    module = handle ? dlsym(handle, VECTOR_MODULE_SYMBOL) : NULL;
    if (module)
        return module;
    const char *why = dlerror();
    if (!why || strncmp(why, file, strlen(file)) == 0)
        error_set(err,
                  ERROR_USAGE,
                  "[source] kind = vector: this program was built without GDAL: "
                  "install "
                  "libgdal-dev and build it again, as jobs/setup libgdal-dev does");
    else
        error_set(err,
                  ERROR_USAGE,
                  "[source] kind = vector: GDAL cannot be loaded: install libgdal32: "
                  "%.120s",
                  why);
    return NULL;
}

const char *source_vector_library(void)
{
    const struct vector_module *module = vector_module(NULL);
    return module ? module->library : NULL;
}
