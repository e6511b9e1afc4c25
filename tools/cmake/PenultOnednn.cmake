# oneDNN for kernels/onednn. Sets PENULT_ONEDNN_INCLUDE and PENULT_ONEDNN_LIBRARY, or
# PENULT_ONEDNN_WHY_NOT. By header and library and not by oneDNN's own package file: Debian's asks
# for OpenCL, which nothing here uses.
set(PENULT_ONEDNN_ROOT "" CACHE PATH "Prefix of a oneDNN to prefer to the system's")
find_path(PENULT_ONEDNN_INCLUDE oneapi/dnnl/dnnl.hpp HINTS ${PENULT_ONEDNN_ROOT}/include)
find_library(PENULT_ONEDNN_LIBRARY dnnl HINTS ${PENULT_ONEDNN_ROOT}/lib)
find_package(OpenMP QUIET COMPONENTS CXX)

set(PENULT_ONEDNN_WHY_NOT "")
if(NOT PENULT_ONEDNN_INCLUDE OR NOT PENULT_ONEDNN_LIBRARY)
  set(PENULT_ONEDNN_WHY_NOT "no oneDNN found (apt-get install libdnnl-dev)")
else()
  file(STRINGS ${PENULT_ONEDNN_INCLUDE}/oneapi/dnnl/dnnl_config.h config
       REGEX "define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_OMP")
  # Module and library must share one OpenMP, else the module cannot rule the library's threads.
  if(NOT config)
    set(PENULT_ONEDNN_WHY_NOT "${PENULT_ONEDNN_LIBRARY} is not built for OpenMP")
  elseif(NOT OpenMP_CXX_FOUND OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(PENULT_ONEDNN_WHY_NOT "it wants GNU OpenMP, hence g++")
  endif()
endif()
