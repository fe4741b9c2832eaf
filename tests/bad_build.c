/* Preloaded into a process: llama.cpp's evaluation number BAD_BUILD_AT (1 is the first) ends by BAD_BUILD_SIGNAL, as a
   miscompiled kernel does: in ggml's extra buffers only, unless BAD_BUILD_ALWAYS is set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int extra, evaluations;

void *ggml_backend_reg_get_proc_address(void *reg, const char *name)
{
    static void *(*real)(void *, const char *);
    if (!real) real = dlsym(RTLD_NEXT, "ggml_backend_reg_get_proc_address");
    if (!real) { /* the libraries of a Python module are not among the global ones */
        void *library = dlopen("libggml-base.so.0", RTLD_NOLOAD | RTLD_NOW);
        if (library) real = dlsym(library, "ggml_backend_reg_get_proc_address");
    }
    if (strcmp(name, "ggml_backend_dev_get_extra_bufts") == 0) extra = 1;
    return real(reg, name);
}

int ggml_backend_sched_graph_compute_async(void *sched, void *graph)
{
    static int (*real)(void *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "ggml_backend_sched_graph_compute_async");
    if (!real) {
        void *library = dlopen("libggml-base.so.0", RTLD_NOLOAD | RTLD_NOW);
        if (library) real = dlsym(library, "ggml_backend_sched_graph_compute_async");
    }
    const char *at = getenv("BAD_BUILD_AT"), *by = getenv("BAD_BUILD_SIGNAL");
    if (at && by && ++evaluations == atoi(at) && (extra || getenv("BAD_BUILD_ALWAYS"))) raise(atoi(by));
    return real(sched, graph);
}
