using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Text;
using McpSm.Help;

// Arguments: the module manifest, the folder of the pages, the output folder.
var (manifest, pages, output) = (args[0], args[1], args[2]);

#pragma warning disable RS0030 // PowerShell reads the variables in this process.
// Without this, PowerShell reports each start to Microsoft, and writes a file to the home folder.
Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
var state = InitialSessionState.CreateDefault2();
if (OperatingSystem.IsWindows())
{
    state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
}
using var runspace = RunspaceFactory.CreateRunspace(state);
runspace.Open();
Environment.SetEnvironmentVariable("PSModulePath", output);
#pragma warning restore RS0030
using var shell = PowerShell.Create(runspace);
// Read the syntax of the commands from PowerShell, so that the pages contain only text.
var commands = shell.AddScript("Import-Module $args[0] -ErrorAction Stop; Get-Command -Module Mcpsm -CommandType Cmdlet, Function")
    .AddArgument(manifest).Invoke<CommandInfo>().OrderBy(c => c.Name, StringComparer.Ordinal).ToList();

var problems = new List<string>();
var maml = new Maml();
var files = Directory.GetFiles(pages, "*.md").ToDictionary(f => Path.GetFileNameWithoutExtension(f)!, StringComparer.Ordinal);
Directory.CreateDirectory(output);
foreach (var command in commands)
{
    if (!files.Remove(command.Name, out var file))
    {
        problems.Add($"{Path.Combine(pages, command.Name)}.md : error MCPSMHELP: {command.Name} has no help page.");
        continue;
    }
    Try(file, () => maml.Add(command, CommandPage.Read(File.ReadAllText(file))));
}
foreach (var (name, file) in files)
{
    if (!name.StartsWith("about_", StringComparison.Ordinal))
    {
        problems.Add($"{file} : error MCPSMHELP: the command '{name}' does not exist.");
        continue;
    }
    Try(file, () => File.WriteAllText(Path.Combine(output, name + ".help.txt"), AboutText.Create(name, File.ReadAllText(file)), new UTF8Encoding(false)));
}
foreach (var problem in problems)
{
    Console.Error.WriteLine(problem);
}
if (problems.Count > 0)
{
    return 1;
}
maml.Save(Path.Combine(output, "McpSm.PowerShell.dll-Help.xml"));
return 0;

void Try(string file, Action work)
{
    try
    {
        work();
    }
    catch (FormatException e)
    {
        problems.Add($"{file} : error MCPSMHELP: {e.Message}");
    }
}
