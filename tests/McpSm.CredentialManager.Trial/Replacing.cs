using McpSm.Core.Files;
using static McpSm.CredentialManager.Trial.Trial;

namespace McpSm.CredentialManager.Trial;

/// <summary>Files as Windows has them: none is replaced while somebody reads it, and none read while it is replaced.</summary>
internal static class Replacing
{
    public static Task RunAsync(Trial trial) =>
        trial.CheckAsync("a file is replaced while two others read it: nobody is refused, and every read is whole", async place =>
        {
            var path = place.Home.PathOf("facts");
            var contents = Enumerable.Range(0, 4).Select(i => Enumerable.Repeat((byte)i, 20_000 + i).ToArray()).ToList();
            AtomicFile.Replace(path, contents[0]);
            using var stop = new CancellationTokenSource();
            var readers = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                var reads = 0;
                for (; !stop.IsCancellationRequested; reads++)
                {
                    var read = AtomicFile.Read(path)!;
                    That(read.AsSpan().SequenceEqual(contents[read.Length - 20_000]), "what is read is whole");
                    // Two readers without a pause would have the file open nearly always, and starve the writer on a busy machine.
                    Thread.Sleep(1);
                }
                return reads;
            })));
            try
            {
                for (var i = 0; i < 300; i++)
                {
                    AtomicFile.Replace(path, contents[i % contents.Count]);
                }
            }
            finally
            {
                stop.Cancel();
            }
            That((await readers).Sum() > 300, "they read beside it");
        });
}
