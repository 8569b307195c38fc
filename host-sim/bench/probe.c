/* probe.c: reading /proc. */
#include "bench/probe.h"

#include <dirent.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Finds "name: value" in a file and copies the value, without the blanks around it. */
static bool find_value(const char *path, const char *name, char *ret_value, size_t size) {
    FILE *file = fopen(path, "re");
    char line[512];
    bool found = false;
    size_t length = strlen(name);
    while (!found && file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) != 0) {
            continue;
        }
        const char *value = line + length + strspn(line + length, " \t");
        if (*value == ':') {
            line[strcspn(line, "\n")] = '\0';
            value += 1 + strspn(value + 1, " \t");
            (void)snprintf(ret_value, size, "%s", value);
            found = true;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static uint64_t find_number(const char *path, const char *name) {
    char value[64];
    return find_value(path, name, value, sizeof value) ? strtoull(value, NULL, 10) : 0;
}

uint64_t probe_resident_kib(void) {
    return find_number("/proc/self/status", "VmRSS");
}

uint64_t probe_resident_peak_kib(void) {
    return find_number("/proc/self/status", "VmHWM");
}

uint64_t probe_switches_of_others(void) {
    DIR *tasks = opendir("/proc/self/task");
    uint64_t switches = 0;
    const struct dirent *entry = NULL;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300];
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != gettid()) {
            (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
            switches += find_number(path, "voluntary_ctxt_switches") + find_number(path, "nonvoluntary_ctxt_switches");
        }
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    return switches;
}

json_t *probe_machine(void) {
    char model[256] = "unknown";
    struct utsname system = {0};
    (void)find_value("/proc/cpuinfo", "model name", model, sizeof model);
    (void)uname(&system);
    return json_pack("{s: s, s: I, s: I, s: s, s: s}", "cpu", model, "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
                     "memory_kib", (json_int_t)find_number("/proc/meminfo", "MemTotal"), "kernel", system.release,
                     "sqlite", sqlite3_libversion());
}
