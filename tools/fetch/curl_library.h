#pragma once

// libcurl. Nothing links to it, since it brings thirty libraries along: it is opened when something
// is to be downloaded, and a program runs without it. Building needs its headers only.

// Its macros of the same names check types where they are called directly, which they are not here.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "penult/status.h"

namespace penult::fetch {

inline constexpr const char* kCurlFile = "libcurl.so.4";

// The functions that are used, by their names without the prefix.
struct Curl {
  decltype(&curl_global_init) global_init;
  decltype(&curl_version_info) version_info;
  decltype(&curl_easy_init) init;
  decltype(&curl_easy_cleanup) cleanup;
  decltype(&curl_easy_setopt) setopt;
  decltype(&curl_easy_getinfo) getinfo;
  decltype(&curl_easy_perform) perform;
  decltype(&curl_easy_strerror) strerror;
  decltype(&curl_slist_append) append;
  decltype(&curl_slist_free_all) free_list;
  decltype(&curl_url) url;
  decltype(&curl_url_cleanup) url_cleanup;
  decltype(&curl_url_set) url_set;
  decltype(&curl_url_get) url_get;
  decltype(&curl_free) free;
};

// Never closed. NotFound, with what to install, if there is none or it is too old.
Result<Curl> open_curl(const char* file);

}  // namespace penult::fetch
