/* services.h: what the plugin gets of the host, as its header wants it. */
#ifndef POLARIS_HOST_SERVICES_H
#define POLARIS_HOST_SERVICES_H

#include <polaris/event_store.h>

#include "host/host.h"

/* Services that call the functions of `options`, which must outlive them. */
polaris_es_services services_of(struct host_options *options);

/* A sink that collects a reply. It refuses what memory cannot hold. */
polaris_sink reply_sink(struct reply *reply);

#endif
