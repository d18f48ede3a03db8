# cmake -D BUILD=… -D SOURCE=… -D EXAMPLES=… -D COMPILER=… -P run.cmake: installs BUILD, builds SOURCE against it, as a
# whole and with the components of plain CoAP alone, and runs the results.
set(folder ${BUILD}/package-test)
file(REMOVE_RECURSE ${folder})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${folder}/prefix --component libraries)
foreach(parts "" "coap\;net")
  set(build ${folder}/build)
  if(parts)
    set(build ${folder}/build-parts)
  endif()
  run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${build} -D CMAKE_PREFIX_PATH=${folder}/prefix
      -D CMAKE_CXX_COMPILER=${COMPILER} "-DPARTS=${parts}" -D EXAMPLES=${EXAMPLES})
  run(${CMAKE_COMMAND} --build ${build})
  run(${build}/consumer)
endforeach()
