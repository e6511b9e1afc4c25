# penult_target(NAME): warnings, sanitizers and the include root for each of our own targets.
function(penult_target target)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include>)
  # Where programs of the build tree find modules of backends.
  set_property(TARGET ${target} APPEND PROPERTY BUILD_RPATH ${PROJECT_BINARY_DIR}/kernels/onednn
    ${PROJECT_BINARY_DIR}/kernels/cuda ${PROJECT_BINARY_DIR}/kernels/cuda/emulated)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # -ffp-contract=off: a multiply and an add are fused only where a kernel says so, else bits would
  # depend on the compiler.
  set(options -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
    -ffp-contract=off -fno-math-errno
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # false alarms on std::string in gcc 12 (PR 105651)
  if(PENULT_WERROR)
    list(APPEND options -Werror)
  endif()
  if(PENULT_SANITIZE)
    list(APPEND options -fsanitize=${PENULT_SANITIZE} -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${PENULT_SANITIZE})
  endif()
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${options}>")
endfunction()
