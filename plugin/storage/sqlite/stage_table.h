/* stage_table.h: the stage as tables that SQL can read, so that one statement moves all of it. */
#ifndef POLARIS_SQLITE_STAGE_TABLE_H
#define POLARIS_SQLITE_STAGE_TABLE_H

#include "storage/sqlite/stage.h"

/* Gives the connection the tables staged_event, staged_stream, staged_tag and staged_link. */
WARN_UNUSED enum status stage_table_open(struct stage *stage, struct connection *connection, struct error *error);

#endif
