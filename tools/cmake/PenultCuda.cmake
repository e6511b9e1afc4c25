# Sources of the device's kernels (.cu), which three compilers see: nvcc, and for the emulator the
# host's compiler and, for the checker, clang.
set(PENULT_GPU_OPS
  adaptive_avg_pool2d/adaptive_avg_pool2d_cuda
  conv2d/conv2d_cuda
  concat/concat_cuda
  depthwise_conv2d/depthwise_conv2d_cuda
  flatten/flatten_cuda
  global_avg_pool/global_avg_pool_cuda
  linear/linear_cuda
  pad/pad_cuda
  pointwise/pointwise_cuda
  pool2d/pool2d_cuda
  slice/slice_cuda
  softmax/softmax_cuda
  squeeze_excitation/squeeze_excitation_cuda)
list(TRANSFORM PENULT_GPU_OPS PREPEND ${PROJECT_SOURCE_DIR}/kernels/)
set(PENULT_GPU_KERNELS ${PENULT_GPU_OPS} ${PROJECT_SOURCE_DIR}/kernels/cuda/transfer)
list(TRANSFORM PENULT_GPU_KERNELS APPEND .cu)
set(PENULT_GPU_HOSTS ${PENULT_GPU_OPS})
list(TRANSFORM PENULT_GPU_HOSTS APPEND .cpp)

# The checker's call-outs are what -fsanitize=thread puts around every access. gcc leaves some out
# (structures passed by value), so clang it is, of the version that was tried.
find_program(PENULT_CHECKER_COMPILER clang++-14)

# penult_checked_objects(VAR FILE...): the objects of .cu files compiled for the checker.
function(penult_checked_objects var)
  set(objects "")
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/checked/${name}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/checked
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${PENULT_CHECKER_COMPILER} -std=c++20 -O1 -g1 -fPIC
              -fsanitize=thread -mllvm -tsan-instrument-read-before-write=1 -ffp-contract=off -DPENULT_GPU_EMULATED
              -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror
              -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/engine/include
              -MD -MF ${object}.d -x c++ -c ${file} -o ${object}
      DEPENDS ${file} DEPFILE ${object}.d VERBATIM
      COMMENT "Compiling ${name}.cu for the checker")
    list(APPEND objects ${object})
  endforeach()
  set(${var} ${objects} PARENT_SCOPE)
endfunction()
