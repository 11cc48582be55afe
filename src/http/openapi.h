/* The description of the interface that /openapi.json serves. */
#ifndef PRESCREEN_HTTP_OPENAPI_H
#define PRESCREEN_HTTP_OPENAPI_H

/* openapi.json of this folder, as it stands. */
extern const char openapi_document[];

#endif
