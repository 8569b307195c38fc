/* orphans.h: processes that a build has started and left: they come to this one, which ends them. */
#ifndef POLARIS_CHECK_ORPHANS_H
#define POLARIS_CHECK_ORPHANS_H

/* From now on a process below this one whose parent has ended is a child of this one, whatever session it is in. */
void orphans_adopt(void);

/* Ends every child of this process, and theirs, or gives up after some seconds. */
void orphans_end(void);

#endif
