# ccache when it is installed; a launcher that the user set wins.
find_program(PENULT_CCACHE ccache)
if(PENULT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PENULT_CCACHE})
endif()
