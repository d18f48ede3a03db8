# cmake -D BUILD=… -D SOURCE=… -D COMPILER=… -P run.cmake: installs BUILD, builds SOURCE against it, runs the result.
set(folder ${BUILD}/package-test)
file(REMOVE_RECURSE ${folder})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${folder}/prefix --component libraries)
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${folder}/build -D CMAKE_PREFIX_PATH=${folder}/prefix
    -D CMAKE_CXX_COMPILER=${COMPILER})
run(${CMAKE_COMMAND} --build ${folder}/build)
run(${folder}/build/consumer)
