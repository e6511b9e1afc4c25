set(PENULT_PASS_SOURCES
  ../passes/edit.cpp ../passes/fold_batchnorm.cpp ../passes/fuse_activation.cpp
  ../passes/fuse_residual_add.cpp ../passes/pass_order.cpp ../passes/remove_dead.cpp)
